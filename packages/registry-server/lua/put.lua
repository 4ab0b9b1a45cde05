-- Writes resources and gives them the pool numbers they claim, all or nothing.
-- ARGS plan: JSON {dryRun, pools: {c, n: {first, last, reserved}},
--   items: [{key, forMs, why, expected?, claims: [{pool, number?}]}]}
-- REST the value of each item
-- Replies {'put', then for each item revision, untilMs, claims} | {'changed', item} | {'taken', item, claim, owner}
--   | {'exhausted', item, claim}, all counted from 0
local plan = cjson.decode(ARGS.plan)

-- The pools after this put: number -> owner, false where an item releases the number.
local planned, used = { c = {}, n = {} }, { c = 0, n = 0 }
local cursors = {}
local ranges, isMixed = {}, {}
for pool, range in pairs(plan.pools) do
  ranges[pool] = text(range.first) .. '|' .. text(range.last) .. '|' .. text(range.reserved)
  local known = redis.call('HGET', META, 'range:' .. pool)
  isMixed[pool] = redis.call('HEXISTS', META, 'mixed:' .. pool) == 1 or (known and known ~= ranges[pool])
end

local function ownerOf(pool, number)
  local owner = planned[pool][number]
  if owner == nil then owner = redis.call('HGET', POOLS[pool], number) end
  return owner
end

local function take(pool, number, key)
  planned[pool][number] = key
  used[pool] = used[pool] + 1
end

-- The next free number after the last one given, so that a released number is not reused at once.
local function nextFree(pool)
  local range = plan.pools[pool]
  local from = math.min(range.first + range.reserved, range.last)
  -- Full, unless some of the used numbers come from another, earlier range.
  if used[pool] >= range.last - range.first + 1 and not isMixed[pool] then return nil end
  local cursor = cursors[pool] or tonumber(redis.call('HGET', META, 'cursor:' .. pool) or from)
  if cursor < from or cursor > range.last then cursor = from end
  local number = cursor
  repeat
    if not ownerOf(pool, text(number)) then
      cursors[pool] = number + 1
      return text(number)
    end
    number = number == range.last and from or number + 1
  until number == cursor
  for low = range.first, from - 1 do
    if not ownerOf(pool, text(low)) then return text(low) end
  end
  return nil
end

for pool, hash in pairs(POOLS) do used[pool] = redis.call('HLEN', hash) end
for i, item in ipairs(plan.items) do
  local existing = redis.call('HGET', RESOURCES, item.key)
  local revision = existing and string.match(existing, '^(%d+)|') or '0'
  if item.expected and item.expected ~= revision then return { 'changed', i - 1 } end
  for pool, number in string.gmatch(claimsOf(existing), '(%a)(%d+)') do
    if redis.call('HGET', POOLS[pool], number) == item.key then
      planned[pool][number] = false
      used[pool] = used[pool] - 1
    end
  end
end
-- Requests of a certain number come first, so that no other request gets it by chance.
for i, item in ipairs(plan.items) do
  for n, claim in ipairs(item.claims) do
    if claim.number then
      local owner = ownerOf(claim.pool, claim.number)
      if owner and owner ~= item.key then return { 'taken', i - 1, n - 1, owner } end
      if not owner then take(claim.pool, claim.number, item.key) end
    end
  end
end
for i, item in ipairs(plan.items) do
  for n, claim in ipairs(item.claims) do
    if not claim.number then
      claim.number = nextFree(claim.pool)
      if not claim.number then return { 'exhausted', i - 1, n - 1 } end
      take(claim.pool, claim.number, item.key)
    end
  end
end

if not plan.dryRun then
  for pool, numbers in pairs(planned) do
    for number, owner in pairs(numbers) do
      if owner then redis.call('HSET', POOLS[pool], number, owner) else redis.call('HDEL', POOLS[pool], number) end
    end
  end
  for pool, cursor in pairs(cursors) do redis.call('HSET', META, 'cursor:' .. pool, text(cursor)) end
  for pool, range in pairs(ranges) do
    redis.call('HSET', META, 'range:' .. pool, range)
    if isMixed[pool] then redis.call('HSET', META, 'mixed:' .. pool, '1') end
  end
end
local reply = { 'put' }
for i, item in ipairs(plan.items) do
  local claims = {}
  for n, claim in ipairs(item.claims) do claims[n] = claim.pool .. claim.number end
  local untilMs = item.forMs > 0 and text(nowMs + item.forMs) or '0'
  local joined = table.concat(claims, ',')
  local revision, prev = nextRevision()
  if not plan.dryRun then
    local stored = table.concat({ revision, untilMs, joined, ARGV[REST + i] }, '|')
    redis.call('HSET', RESOURCES, item.key, stored)
    if item.forMs > 0 then redis.call('ZADD', EXPIRIES, untilMs, item.key) else redis.call('ZREM', EXPIRIES, item.key) end
    redis.call('HDEL', TOMBSTONES, 'r:' .. item.key)
    redis.call('ZREM', TOMBSTONE_EXPIRIES, 'r:' .. item.key)
    append(revision, prev, 'put', item.key, stored, item.why)
  end
  reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = revision, untilMs, joined
end
return reply
