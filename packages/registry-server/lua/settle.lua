-- Gives every number of the pools one owner again, after pictures were restored. Replicas offer what they knew at
-- different times, and between loss and restore a resource may have got another one's number. The resource written
-- earlier keeps it; the other gets a free number of the range that was last used.
-- Reads all resources at once: only called after a store lost its data.
-- Replies how many resources got another number
local holders = {}
local all = redis.call('HGETALL', RESOURCES)
for i = 1, #all, 2 do
  local revision, untilMs, claims, value = string.match(all[i + 1], '^(%d+)|(%d+)|([^|]*)|(.*)$')
  if revision and claims ~= '' then
    holders[#holders + 1] = { key = all[i], revision = tonumber(revision), untilMs = untilMs, claims = claims, value = value }
  end
end
table.sort(holders, function(a, b)
  if a.revision ~= b.revision then return a.revision < b.revision end
  return a.key < b.key
end)

local owners = { c = {}, n = {} }
local losers = {}
for _, holder in ipairs(holders) do
  local isLoser = false
  for pool, number in string.gmatch(holder.claims, '(%a)(%d+)') do
    local owner = owners[pool][number]
    if not owner then owners[pool][number] = holder.key
    elseif owner ~= holder.key then isLoser = true end
  end
  if isLoser then losers[#losers + 1] = holder end
end

local function freeOf(pool)
  local first, last, reserved = string.match(redis.call('HGET', META, 'range:' .. pool) or '', '^(%d+)|(%d+)|(%d+)$')
  if not first then return nil end
  first, last, reserved = tonumber(first), tonumber(last), tonumber(reserved)
  for number = math.min(first + reserved, last), last do
    if not owners[pool][text(number)] then return text(number) end
  end
  for number = first, math.min(first + reserved, last) - 1 do
    if not owners[pool][text(number)] then return text(number) end
  end
  return nil
end

for _, loser in ipairs(losers) do
  local claims, given = {}, {}
  for pool, number in string.gmatch(loser.claims, '(%a)(%d+)') do
    local mine = number
    if owners[pool][number] ~= loser.key then
      -- Two claims of the same number stay equal. If no number is free, the resource keeps the one that it shares.
      mine = given[pool .. number] or freeOf(pool) or number
      given[pool .. number] = mine
      if mine ~= number then owners[pool][mine] = loser.key end
    end
    claims[#claims + 1] = pool .. mine
  end
  local revision, prev = nextRevision()
  local stored = table.concat({ revision, loser.untilMs, table.concat(claims, ','), loser.value }, '|')
  redis.call('HSET', RESOURCES, loser.key, stored)
  append(revision, prev, 'put', loser.key, stored, 'restored')
end

for pool, hash in pairs(POOLS) do
  redis.call('DEL', hash)
  for number, owner in pairs(owners[pool]) do redis.call('HSET', hash, number, owner) end
end

-- The offering replica has shown revisions that are lost: whatever it shows from now on must be newer.
local last = tonumber(redis.call('HGET', META, 'last'))
if last <= floor then
  local revision, prev = nextRevision()
  append(revision, prev, 'bump', '', '', 'restored')
end
return #losers
