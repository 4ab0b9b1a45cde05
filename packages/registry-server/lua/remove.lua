-- Removes a resource and releases its pool numbers.
-- ARGS key, expected: the revision that it must have; empty = any
-- Replies {'changed', revision} | {'missing'} | {'other'}
local key = ARGS.key
local resource = redis.call('HGET', RESOURCES, key)
if not resource then
  -- A restore after lost data must not bring back a resource that was removed in between.
  addTombstone('r:' .. key, (nextRevision()), LIMITS.RESOURCE_TOMBSTONE_MS)
  return { 'missing' }
end
if ARGS.expected ~= '' and ARGS.expected ~= string.match(resource, '^(%d+)|') then return { 'other' } end
local revision = deleteResource(key, resource)
addTombstone('r:' .. key, revision, LIMITS.RESOURCE_TOMBSTONE_MS)
return { 'changed', revision }
