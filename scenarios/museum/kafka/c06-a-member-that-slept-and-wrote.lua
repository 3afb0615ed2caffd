-- A process stands still for a minute in the middle of a batch: a long garbage collection, a machine that swaps. What
-- does it do when it wakes up?
--
-- It goes on where it was. K1 keeps a row of a database for each customer, the record's key. It has sent no heartbeat,
-- so after 45 s its session has ended, and K2 was given the partition. K2 begins where the group stands, does the rest
-- of K1's batch, and then much that is newer. K1 wakes with that rest still in hand, and writes it over what K2 has
-- written. Its commits are refused, and with its next poll it is told that it is out. But no coordinator stands before
-- the database: rows have gone back to an older state.
--
-- First case: the database takes every write.
-- Second case: each row keeps the position of the record that wrote it last, and the statement that writes looks
-- whether its own is higher (UPDATE ... WHERE position < ?). The position is the fencing token: a key stays in one
-- partition, so positions of one row can be compared. What K1 writes late changes nothing.
-- Third case: a session longer than the pause. K1 stays the owner. But the next pause may be longer still, and a member
-- that is really dead is found out later. (Kafka's transactions fence a zombie too, in what it writes to Kafka.)
--
-- Source: KafkaConsumer javadoc, "detecting consumer failures"; ConsumerRebalanceListener.onPartitionsLost; KIP-447.

local last_written = {} -- of the database: for each key, the position of the record that wrote its row

local function write(c, m)
  local fenced = c.options.effect == "wrote the row if newer"
  if fenced and m.position <= (last_written[m.key] or -1) then
    c:mark("write_refused", c.name .. " is too late with " .. m.body, m.place)
  else
    last_written[m.key] = m.position
    c:effect(c.options.effect, m)
  end
end

local function loop(c)
  c:sleep(c.options.start_at)
  c:subscribe(c.options.topics)
  while true do
    for _, m in ipairs(c:poll(c.options.poll_timeout)) do
      c:sleep(c.options.work)
      write(c, m)
      c:processed(m)
      c:commit_async(m.place, m.position + 1)
    end
  end
end

return scenario {
  title = "A member that slept, and then wrote",
  chapter = "docs/kafka/05-rebalancing.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { customers = { partitions = 1, replicas = 3 } },
  marks = { "write_refused" },
  clients = {
    producer "P1" { topic = "customers", records = 600, every = ms(5), start_at = seconds(1), keys = 5 },
    client "K1" {
      topics = { "customers" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      auto_commit = "off", max_poll_records = 100, work = ms(20), start_at = seconds(2), program = loop,
    },
    client "K2" {
      topics = { "customers" }, group = "readers", auto_offset_reset = "earliest", assignors = "range",
      auto_commit = "off", max_poll_records = 100, work = ms(20), start_at = seconds(3), program = loop,
    },
  },
  faults = {
    -- It has committed what it has done, and has the rest of a batch in hand.
    when(op "process ok" { from = "K1", nth = 220 }, after(ms(10), pause "K1" { duration = seconds(60) })),
  },
  run_for = minutes(3),
  expect = { holds "lost-message", holds "effect-lost" },
  cases = {
    case "every write is taken" {
      why = "Rows go back to an older state.",
      set = { effect = "wrote the row" },
      expect = {
        reaches "member_expired", reaches "commit_refused", reaches "member_put_out", violates "stale-effect",
        violates "effect-duplicate", violates "visibility-double-processing", violates "double-ownership",
      },
    },
    case "only if it is newer" {
      why = "The row knows which record wrote it.",
      set = { effect = "wrote the row if newer" },
      expect = {
        reaches "member_expired", reaches "commit_refused", reaches "member_put_out", reaches "write_refused",
        holds "stale-effect", holds "effect-duplicate", violates "double-ownership",
      },
    },
    case "a session longer than the pause" {
      why = "Nobody else was given the partition, this time.",
      set = { effect = "wrote the row", session_timeout = seconds(90) },
      expect = { reaches "resumed", holds "stale-effect", holds "effect-duplicate", holds "double-ownership" },
    },
  },
}
