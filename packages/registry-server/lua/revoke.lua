-- Takes an instance off the roll.
-- ARGS field, lease ('' = whoever holds it), nonce of the process that leaves ('' = not told), sequence: number of this write
-- among its own (0 = it numbers none)
-- Replies {'changed', revision} | {'missing'} | {'superseded'}
local field, lease, nonce, sequence = ARGS.field, ARGS.lease, ARGS.nonce, tonumber(ARGS.sequence)
local record = readRecord(field)
-- What it sent before and never heard of may still arrive.
buryProcess(field, nonce, sequence)
if not record then
  -- A store that lost its memory must not be given back what somebody has taken off meanwhile.
  buryInstance(field, lease, (nextRevision()))
  return { 'missing' }
end
if lease ~= '' and lease ~= record.lease then return { 'superseded' } end
if nonce ~= '' and nonce ~= record.nonce then return { 'superseded' } end
return { 'changed', deleteRecord(field, record, 'deregistered') }
