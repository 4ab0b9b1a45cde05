-- Changes status, weight or labels of an instance; nothing new, no revision.
-- ARGS instanceKey, lease ('' = whoever holds it), patch (JSON), sequence: number of this write among those of its process (0 = it
-- numbers none): one that arrives after a later one changes nothing
-- Replies {'changed', revision} | {'missing'} | {'unknown'} | {'superseded'}
local instanceKey, lease = ARGS.instanceKey, ARGS.lease
local record = readRecord(instanceKey)
if not record then
  if lease ~= '' then return { missOf(lease) } end
  return { 'missing' }
end
if lease ~= '' and lease ~= record.lease then return { 'superseded' } end
local body, patch = decoded(record.body), cjson.decode(ARGS.patch)
-- Whoever holds it registers again, which writes it anew.
if not body or type(body.labels) ~= 'table' then return { lease == '' and 'missing' or 'unknown' } end
local sequence = tonumber(ARGS.sequence)
if lease ~= '' and sequence > 0 and sequence <= record.sequence then return { 'changed', record.revision } end
local isNew, why = false, 'updated'
if patch.status and patch.status ~= body.status then
  body.status, isNew = patch.status, true
  if patch.status == 'draining' then why = 'draining' end
end
if patch.weight and patch.weight ~= body.weight then body.weight, isNew = patch.weight, true end
for key, value in pairs(patch.labels or {}) do
  if value == cjson.null then value = nil end
  if body.labels[key] ~= value then body.labels[key], isNew = value, true end
end
local covers = patch.covers
if covers == cjson.null then covers = nil elseif covers == nil then covers = body.covers end
if table.concat(covers or {}, ',') ~= table.concat(body.covers or {}, ',') then body.covers, isNew = covers, true end
record.sequence = math.max(record.sequence, lease ~= '' and sequence or 0)
if not isNew then
  if sequence > 0 then keepRecord(instanceKey, record) end
  return { 'changed', record.revision }
end
record.body = cjson.encode(body)
return { 'changed', writeRecord(instanceKey, record, why) }
