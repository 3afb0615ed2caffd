-- When does a consumer commit: before the work on a batch, after it, after each record, or never by itself?
--
-- K1 polls at most ten records at a time, works 50 ms on each and sends a mail for it. It dies twice: in the middle of
-- a batch, and just when it asks for a commit. What it had in memory is gone each time; what is left is the group's
-- position, and there K1 goes on.
--
-- Committed before the work, the position stands behind records that nobody has worked on: their mails are never
-- sent. Committed after the batch, it stands before records that are done: their mails are sent twice. After each
-- record only one mail can be sent twice, for the price of a round trip each time. And the library's own commit inside
-- a later poll is the second kind: it commits what earlier polls had returned, and this loop has finished that by then.
--
-- The loop below is also built in: `consumer "K1" { commit = "after" }` does the same. one-loop.lua has one loop with
-- all that the programs of this folder do.
-- Source: KafkaConsumer javadoc, "automatic offset committing" and "manual offset control".

-- The work on one message.
local function work_on(c, o, m)
  c:sleep(o.work)
  c:effect(o.effect, m)
  c:processed(m)
end

-- The next position of each place after these messages.
local function positions_after(messages)
  local next = {}
  for _, m in ipairs(messages) do next[m.place] = m.position + 1 end
  return next
end

-- True when all of them are stored.
local function commit(c, positions)
  local ok = true
  for place, position in pairs(positions) do ok = c:commit(place, position).ok and ok end
  return ok
end

local function consumer_loop(c, o)
  c:subscribe(o.topics)
  while true do
    local batch = c:poll(o.poll_timeout)
    -- At most once: what could not be committed beforehand is not worked on.
    if o.commit == "before" and not commit(c, positions_after(batch)) then batch = {} end
    for _, m in ipairs(batch) do
      work_on(c, o, m)
      if o.commit == "each" then c:commit(m.place, m.position + 1) end
    end
    if o.commit == "after" then commit(c, positions_after(batch)) end
  end
end

return scenario {
  title = "When a consumer commits",
  chapter = "docs/kafka/04-groups-and-offsets.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(20), start_at = seconds(5) },
    client "K1" {
      topics = { "orders" }, group = "mailers", auto_offset_reset = "earliest", max_poll_records = 10,
      work = ms(50), effect = "mail", session_timeout = seconds(10),
      program = function(c) consumer_loop(c, c.options) end,
    },
  },
  faults = {
    -- In the middle of a batch, and with a commit that never leaves the machine.
    when(op "effect ok" { from = "K1", nth = 35 }, after(ms(20), kill "K1" { duration = seconds(2) })),
    at(0, drop "OffsetCommit" { from = "K1", nth = 3 }),
    when(sent "OffsetCommit" { from = "K1", nth = 3 }, kill "K1" { duration = seconds(2) }),
  },
  run_for = seconds(90),
  cases = {
    case "before the work" {
      why = "At most once: what was in hand is never done.",
      set = { commit = "before" },
      expect = { violates "effect-lost", violates "commit-ahead-of-processing", holds "effect-duplicate" },
    },
    case "after the batch" {
      why = "At least once: what was done and not committed is done again.",
      set = { commit = "after" },
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
    case "after each record" {
      why = "At least once, and one record at most is done again.",
      set = { commit = "each" },
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
    case "by the library, inside a later poll" {
      why = "What earlier polls returned is done, for the loop works itself.",
      set = { commit = "library", auto_commit_interval = seconds(1) },
      expect = { holds "effect-lost", holds "commit-ahead-of-processing", violates "effect-duplicate" },
    },
  },
}
