-- Moves the deadlines of many leases. This is the hot path: one ZADD for all.
-- REST lease ids, at most 1000
-- Replies {{unknown ids}, {superseded ids}}
local args = { 'ZADD', LEASES, 'XX', 'CH' }
local size = 4
local lastTtl, deadline = '', ''
for i = REST + 1, #ARGV do
  local ttl = string.match(ARGV[i], '^%d+%.(%d+)%.')
  if ttl ~= lastTtl then
    lastTtl = ttl
    deadline = text(nowMs + tonumber(ttl))
  end
  args[size + 1] = deadline
  args[size + 2] = ARGV[i]
  size = size + 2
end
local moved = redis.call(unpack(args))

local unknown, superseded = {}, {}
-- ZADD also counts an equal deadline as unmoved (the same lease twice within a millisecond), so check each one.
if moved ~= #ARGV - REST then
  for i = REST + 1, #ARGV do
    if not deadlineOf(ARGV[i]) then
      if missOf(ARGV[i]) == 'superseded' then
        superseded[#superseded + 1] = ARGV[i]
      else
        unknown[#unknown + 1] = ARGV[i]
      end
    end
  end
end
if redis.call('EXISTS', DOUBTS) == 1 then
  for i = REST + 1, #ARGV do clearDoubt(ARGV[i]) end
end
return { unknown, superseded }
