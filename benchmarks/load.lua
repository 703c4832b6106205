-- Sends the requests of a file, one body a line, round and round; prints what happened as one JSON line.
-- arguments: the file, the milliseconds a connection waits on average before a request (0: none)

local requests = {}
local position = 0

function init(arguments)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  wrk.headers["Accept"] = "application/json"
  for line in io.lines(arguments[1]) do
    -- A hundred viewers take turns: whose session variables were set last is seldom who asks next.
    wrk.headers["Authorization"] = "Bearer viewer-" .. #requests % 100
    requests[#requests + 1] = wrk.format(nil, nil, nil, line)
  end
  local pause = tonumber(arguments[2]) or 0
  if pause > 0 then
    math.randomseed(1)
    -- Exponential, as if each came from somebody else; wrk takes whole milliseconds, so chance rounds.
    function delay()
      return math.floor(-pause * math.log(1 - math.random()) + math.random())
    end
  end
end

function request()
  position = position % #requests + 1
  return requests[position]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "seconds": %.6f, "bytes": %d, "failed": %d, "p50_ms": %.3f, "p95_ms": %.3f, "p99_ms": %.3f}\n',
    summary.requests, summary.duration / 1e6, summary.bytes,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3
  ))
end
