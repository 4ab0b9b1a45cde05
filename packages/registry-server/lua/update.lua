-- Changes status, weight or labels of an instance. If nothing differs, there is no new revision.
-- ARGS instanceKey, lease ('' = any holder), patch (JSON), sequence: number of this write in its process (0 = not
-- numbered); a write that arrives after a later one changes nothing
-- Replies {'changed', revision} | {'missing'} | {'unknown'} | {'superseded'}
local instanceKey, lease = ARGS.instanceKey, ARGS.lease
local record = readRecord(instanceKey)
if not record then
  if lease ~= '' then return { missOf(lease) } end
  return { 'missing' }
end
if lease ~= '' and lease ~= record.lease then return { 'superseded' } end
local body, patch = decoded(record.body), cjson.decode(ARGS.patch)
-- The holder registers again, which writes the record anew.
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
local labelScopes = patch.labelScopes
if labelScopes == cjson.null then labelScopes = nil elseif labelScopes == nil then labelScopes = body.labelScopes end
if table.concat(labelScopes or {}, ',') ~= table.concat(body.labelScopes or {}, ',') then body.labelScopes, isNew = labelScopes, true end
record.sequence = math.max(record.sequence, lease ~= '' and sequence or 0)
if not isNew then
  if sequence > 0 then keepRecord(instanceKey, record) end
  return { 'changed', record.revision }
end
record.body = cjson.encode(body)
return { 'changed', writeRecord(instanceKey, record, why) }
