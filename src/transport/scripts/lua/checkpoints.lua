-- KEYS[1] job. Answers names and values of its checkpoints, one after the other.
local out = {}
if rcall('HEXISTS', KEYS[1], 'cp') == 0 then return out end
for _, field in ipairs(rcall('HKEYS', KEYS[1])) do
  if string.sub(field, 1, 2) == 'c:' then
    out[#out + 1] = string.sub(field, 3)
    out[#out + 1] = rcall('HGET', KEYS[1], field)
  end
end
return out
