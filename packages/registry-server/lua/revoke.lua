-- Takes an instance off the roll.
-- ARGS instanceKey, lease ('' = whoever holds it), nonce of the process that leaves ('' = not told), sequence: number of this write
-- among its own (0 = it numbers none)
-- Replies {'changed', revision} | {'missing'} | {'superseded'}
local instanceKey, lease, nonce, sequence = ARGS.instanceKey, ARGS.lease, ARGS.nonce, tonumber(ARGS.sequence)
local record = readRecord(instanceKey)
-- What it sent before and never heard of may still arrive.
buryProcess(instanceKey, nonce, sequence)
if not record then
  -- A store that lost its memory must not be given back what somebody has taken off meanwhile.
  buryInstance(instanceKey, lease, (nextRevision()))
  return { 'missing' }
end
if lease ~= '' and lease ~= record.lease then return { 'superseded' } end
if nonce ~= '' and nonce ~= record.nonce then return { 'superseded' } end
return { 'changed', deleteRecord(instanceKey, record, 'deregistered') }
