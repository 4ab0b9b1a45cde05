-- Takes an instance off the roll.
-- ARGV 4 field, 5 lease ('' = whoever holds it)
-- Replies {'changed', revision} | {'missing'} | {'superseded'}
local record = readRecord(ARGV[4])
if not record then
  -- A store that lost its memory must not be given back what somebody has taken off meanwhile.
  buryInstance(ARGV[4], ARGV[5], (nextRevision()))
  return { 'missing' }
end
if ARGV[5] ~= '' and ARGV[5] ~= record.lease then return { 'superseded' } end
return { 'changed', deleteRecord(ARGV[4], record, 'deregistered') }
