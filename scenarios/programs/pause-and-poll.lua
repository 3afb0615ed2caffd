-- The work on one batch takes longer than max.poll.interval. How does a consumer stay in its group?
--
-- 400 records wait; one poll returns all of them, and K1 works 1.5 seconds on each: ten minutes. The library's
-- heartbeats go on, but after five minutes without a poll it takes the application for stuck and leaves the group. K1
-- does not notice: it works on, and will learn of it from its next poll or commit. Meanwhile K2 has been given the
-- partition, begins where the group stands, and does all of it again.
--
-- Two ways out. K1 pauses the partition and lets somebody else do the work, while the loop polls on: a paused partition
-- stays its own and brings no records. Or it takes fewer records with each poll, so that it is back in time; that
-- is simpler, and enough as long as no single record takes too long.
--
-- The same is built in as `consumer "K1" { pause_while_working = true }` and `max_poll = 50`, and part of one-loop.lua.
-- Source: KIP-62; KafkaConsumer javadoc, "detecting consumer failures" and "consumption flow control".

local function do_work(c, o, m)
  c:effect(o.effect, m)
  c:processed(m)
end

local function commit_after(c, batch)
  local next = {}
  for _, m in ipairs(batch) do next[m.place] = m.position + 1 end
  for place, position in pairs(next) do c:commit(place, position) end
end

-- The loop works itself. It hears of nothing until it polls again.
local function work_in_the_loop(c, o)
  c:subscribe(o.topics)
  while true do
    local batch = c:poll(o.poll_timeout, o.max_poll > 0 and o.max_poll or nil)
    for _, m in ipairs(batch) do
      c:sleep(o.work)
      do_work(c, o, m)
    end
    commit_after(c, batch)
  end
end

-- Somebody else works through the batch, until the time `ready` for its next message; the loop only looks after the
-- group. Messages of places that were taken away are dropped.
local function pause_and_poll(c, o)
  c:subscribe(o.topics)
  while true do
    local batch, paused = c:poll(o.poll_timeout), {}
    for _, m in ipairs(batch) do
      if not paused[m.place] then c:pause(m.place) end
      paused[m.place] = true
    end
    local i, ready = 1, c:now() + o.work
    while batch[i] do
      local meanwhile = c:poll(math.max(ms(0), math.min(ready - c:now(), o.poll_timeout)))
      for _, gone in ipairs { meanwhile.revoked or {}, meanwhile.lost or {} } do
        for _, place in ipairs(gone) do paused[place] = nil end
      end
      while batch[i] and not paused[batch[i].place] do table.remove(batch, i) end
      if batch[i] and ready <= c:now() then
        do_work(c, o, batch[i])
        i, ready = i + 1, c:now() + o.work
      end
    end
    commit_after(c, batch)
    for place in pairs(paused) do c:resume(place) end
  end
end

local function loop(c)
  c:sleep(c.options.start_at)
  if c.options.pause_while_working then pause_and_poll(c, c.options) else work_in_the_loop(c, c.options) end
end

return scenario {
  title = "Work that takes longer than max.poll.interval",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 400, every = ms(5), start_at = seconds(5) },
    client "K1" { topics = { "orders" }, group = "mailers", auto_offset_reset = "earliest", commit = "after", work = ms(1500), effect = "mail", start_at = seconds(20), program = loop },
    client "K2" { topics = { "orders" }, group = "mailers", auto_offset_reset = "earliest", commit = "after", work = ms(1500), effect = "mail", start_at = seconds(20), program = loop },
  },
  run_for = minutes(15),
  cases = {
    case "one poll, ten minutes of work" {
      why = "The library leaves the group in the name of an application that only works.",
      set = { max_poll = 0 },
      expect = { reaches "max_poll_interval_exceeded", violates "effect-duplicate" },
    },
    case "pause, and poll on" {
      why = "A paused partition is still owned.",
      set = { pause_while_working = true },
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
    case "fifty at a time" {
      why = "75 seconds of work are less than max.poll.interval.",
      set = { max_poll = 50 },
      expect = { holds "effect-duplicate", holds "effect-lost" },
    },
  },
}
