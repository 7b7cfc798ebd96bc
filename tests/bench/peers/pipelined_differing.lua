-- For wrk: 16 requests with each write, each with a header that the one before did not have.
local depth = 16
local batch

function init()
  local requests = {}
  for i = 1, depth do
    wrk.headers["X-Request"] = string.format("%02d", i)
    requests[i] = wrk.format()
  end
  batch = table.concat(requests)
end

function request()
  return batch
end
