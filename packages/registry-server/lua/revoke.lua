-- Takes an instance off the roll.
-- ARGV 4 field, 5 lease ('' = whoever holds it), 6 nonce of the process that leaves ('' = not told), 7 number of this write
-- among its own (0 = it numbers none)
-- Replies {'changed', revision} | {'missing'} | {'superseded'}
local field, lease, nonce, sequence = ARGV[4], ARGV[5], ARGV[6], tonumber(ARGV[7])
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
