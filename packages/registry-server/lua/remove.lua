-- Removes a resource and releases what it has of the pools.
-- ARGS key
-- Replies {'changed', revision} | {'missing'}
local key = ARGS.key
local resource = redis.call('HGET', RESOURCES, key)
if not resource then
  -- A store that lost its memory must not be given back what somebody has removed meanwhile.
  bury('r:' .. key, (nextRevision()), LIMITS.RESOURCE_TOMBSTONE_MS)
  return { 'missing' }
end
local revision = deleteResource(key, resource)
bury('r:' .. key, revision, LIMITS.RESOURCE_TOMBSTONE_MS)
return { 'changed', revision }
