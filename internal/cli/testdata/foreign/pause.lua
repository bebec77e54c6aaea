-- Each of wrk's connections pauses between two requests.
function delay()
  return 20 -- ms
end
