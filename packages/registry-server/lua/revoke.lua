-- Takes an instance off the roll.
-- ARGS instanceKey, lease ('' = any holder), nonce of the leaving process ('' = not given), sequence: number of this
-- write in that process (0 = not numbered)
-- Replies {'changed', revision} | {'missing'} | {'superseded'}
local instanceKey, lease, nonce, sequence = ARGS.instanceKey, ARGS.lease, ARGS.nonce, tonumber(ARGS.sequence)
local record = readRecord(instanceKey)
-- Earlier writes that the process got no answer to may still arrive.
addProcessTombstone(instanceKey, nonce, sequence)
if not record then
  -- A restore after lost data must not bring back an instance that was deregistered in between.
  addInstanceTombstones(instanceKey, lease, (nextRevision()))
  return { 'missing' }
end
if lease ~= '' and lease ~= record.lease then return { 'superseded' } end
if nonce ~= '' and nonce ~= record.nonce then return { 'superseded' } end
return { 'changed', deleteRecord(instanceKey, record, 'deregistered') }
