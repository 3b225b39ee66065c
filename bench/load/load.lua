-- One script for every request load. Arguments: pipeline depth, method, body length.
-- The request is formatted once and sent as it is; a `request` function would be called for each and slow the load.
-- Prints one line of JSON at the end, since wrk's own summary rounds.

function init(args)
  local depth = tonumber(args[1])
  wrk.method = args[2]
  local bodyLen = tonumber(args[3])
  if bodyLen > 0 then
    wrk.body = string.rep("x", bodyLen)
    wrk.headers["Content-Type"] = "application/octet-stream"
  end
  local format = wrk.format
  wrk.format = function()
    return string.rep(format(), depth)
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  io.write(string.format(
    '\nresult {"requests":%d,"durationUs":%d,"p50Us":%d,"p99Us":%d,' ..
      '"connectErrors":%d,"readErrors":%d,"writeErrors":%d,"timeouts":%d,"badStatuses":%d}\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    errors.connect, errors.read, errors.write, errors.timeout, errors.status))
end
