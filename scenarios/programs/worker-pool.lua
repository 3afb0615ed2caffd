-- The loop hands messages to workers and polls on. Up to where may the group's position go?
--
-- K1 has three workers; a message takes 50 ms, but P1-10 takes five seconds. While its worker is busy with it, the
-- others finish what came later. Then the process dies.
--
-- The highest finished position stands behind P1-10, and after the restart nobody gets it again. The library's own
-- commit is worse: it commits what polls returned, finished or not, because it can't know about the workers. Only the
-- prefix is safe, the position before which everything is finished: it stops at P1-10, and what was finished behind it
-- is done again. The longer one message takes, the more of it there is.
--
-- Here each worker is a row with the time at which it will be ready; `consumer "K1" { workers = 3, commit = "prefix" }`
-- does the same, and one-loop.lua. Source: KafkaConsumer javadoc, "multi-threaded processing"; ConsumerCoordinator.

-- What was handed out, place by place, and how far it is finished.
local function new_ledger()
  local places = {}
  return {
    handed_out = function(m)
      local p = places[m.place] or { open = {}, asked = m.position }
      places[m.place] = p
      p.open[#p.open + 1] = m.position
      p.came = m.position + 1
    end,
    finished = function(m)
      local p = places[m.place]
      if not p then return end -- the place was taken away meanwhile
      for i, position in ipairs(p.open) do
        if position == m.position then table.remove(p.open, i) break end
      end
      p.highest = math.max(p.highest or 0, m.position + 1)
    end,
    -- The positions to commit now, by the rule: those that are further than before.
    due = function(rule)
      local out = {}
      for place, p in pairs(places) do
        local position = rule == "highest" and p.highest or rule == "prefix" and (p.open[1] or p.came) or 0
        if position > p.asked then
          out[place] = position
          p.asked = position
        end
      end
      return out
    end,
    forget = function(place) places[place] = nil end,
  }
end

local function worker_pool(c, o)
  local ledger, queue, busy = new_ledger(), {}, {}
  c:subscribe(o.topics)
  while true do
    -- Wait for messages, but no longer than until the next worker is ready.
    local patience = o.poll_timeout
    for _, worker in ipairs(busy) do patience = math.max(ms(0), math.min(patience, worker.ready - c:now())) end
    local batch = c:poll(patience)
    -- Of a place that was taken away nothing more is begun, and nothing committed.
    for _, gone in ipairs { batch.revoked or {}, batch.lost or {} } do
      for _, place in ipairs(gone) do
        ledger.forget(place)
        for i = #queue, 1, -1 do
          if queue[i].place == place then table.remove(queue, i) end
        end
      end
    end
    for _, m in ipairs(batch) do
      ledger.handed_out(m)
      queue[#queue + 1] = m
    end
    for i = #busy, 1, -1 do
      if busy[i].ready <= c:now() then
        local m = table.remove(busy, i).message
        c:effect(o.effect, m)
        c:processed(m)
        ledger.finished(m)
      end
    end
    while #busy < o.workers and #queue > 0 do
      local m = table.remove(queue, 1)
      local work = m.body == o.work_slow_message and o.work_slow or o.work
      busy[#busy + 1] = { message = m, ready = c:now() + work }
    end
    for place, position in pairs(ledger.due(o.commit)) do c:commit(place, position) end
  end
end

return scenario {
  title = "Three workers and one position",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(50), start_at = seconds(5) },
    client "K1" {
      topics = { "orders" }, group = "mailers", auto_offset_reset = "earliest", session_timeout = seconds(10),
      workers = 3, work = ms(50), work_slow_message = "P1-10", work_slow = seconds(5), effect = "mail",
      program = function(c) worker_pool(c, c.options) end,
    },
  },
  faults = {
    -- P1-10 is under way, and much behind it is finished and committed.
    when(op "effect ok" { from = "K1", nth = 45 }, kill "K1" { duration = seconds(2) }),
  },
  run_for = seconds(60),
  cases = {
    case "by the library, inside a later poll" {
      why = "Returned by a poll is not the same as finished.",
      set = { commit = "library", auto_commit_interval = seconds(1) },
      expect = { violates "effect-lost", violates "commit-ahead-of-processing" },
    },
    case "the highest" {
      why = "One that is finished says nothing about those before it.",
      set = { commit = "highest" },
      expect = { violates "effect-lost", violates "commit-ahead-of-processing" },
    },
    case "the prefix" {
      why = "Nothing is lost, and what was finished behind the slow one is done again.",
      set = { commit = "prefix" },
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
  },
}
