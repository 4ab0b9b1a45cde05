-- Removes a resource and releases its pool numbers.
-- ARGS key
-- Replies {'changed', revision} | {'missing'}
local key = ARGS.key
local resource = redis.call('HGET', RESOURCES, key)
if not resource then
  -- A restore after lost data must not bring back a resource that was removed in between.
  addTombstone('r:' .. key, (nextRevision()), LIMITS.RESOURCE_TOMBSTONE_MS)
  return { 'missing' }
end
local revision = deleteResource(key, resource)
addTombstone('r:' .. key, revision, LIMITS.RESOURCE_TOMBSTONE_MS)
return { 'changed', revision }
