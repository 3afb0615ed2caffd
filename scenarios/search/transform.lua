-- Orders become bills. Whatever fails on the way: one bill for each order?
--
-- Two instances of one application read the orders as members of a group, and write bills and positions in transactions. The
-- seed draws five faults, and when: an instance stands still for longer than its session, with or without its heartbeats, is
-- cut off or dies; requests to coordinators and leaders come late, twice or never; brokers die, and coordinators move. Who
-- gets a bill pays it, and a bill that is paid twice is what all this is about. `--seeds 1..1000` is the search.
--
-- Two rules of KIP-447 hold it together beside the epochs. Without the consumer's generation, an instance that was put out of
-- the group while it stood still commits its bills and its positions beside those of its successor. And if a new owner does
-- not wait for positions that a transaction may yet change, it begins before those which its predecessor is just committing.
--
-- Of seeds 1 to 3,000: without the generation 52 pay twice (the first is 61), with positions that are not decided 47 (52),
-- with both rules none, and none of 10,000.
--
-- Sources: KIP-447, KIP-890.

local function turns_orders_into_bills(name)
  return transform(name) {
    topics = { "orders" }, topic = "bills", group = "billing", transactional_id = name, positions = "in_transaction",
    isolation = "read_committed", auto_offset_reset = "earliest", auto_commit = "off", max_poll = 3, work = ms(15), poll_timeout = ms(300),
    session_timeout = ms(1500), group_heartbeat = ms(400), max_poll_interval = seconds(3), assignors = { "cooperative-sticky" },
    transaction_timeout = seconds(3), linger = 0, request_timeout = ms(600), delivery_timeout = ms(900), max_block = seconds(2),
    reconnect_backoff_max = ms(200), retry_backoff_max = ms(200),
  }
end

local faults = {}
local function may(weight, fault)
  for _ = 1, weight do faults[#faults + 1] = fault end
end
for _, kind in ipairs { "Produce", "EndTxn", "TxnOffsetCommit", "WriteTxnMarkers" } do
  for _, long in ipairs { ms(300), ms(900), ms(2500) } do may(kind == "EndTxn" and 4 or 1, delay(kind) { amount = long }) end
  for _, later in ipairs { ms(50), ms(400) } do may(1, duplicate(kind) { amount = later }) end
  may(1, drop(kind) {})
  may(1, drop(kind .. "Reply") {})
end
for _, kind in ipairs { "AddPartitionsToTxn", "InitProducerId", "OffsetFetch", "JoinGroup", "SyncGroup", "GroupHeartbeat" } do
  may(1, delay(kind) { amount = ms(900) })
  may(1, drop(kind) {})
end
for _, who in ipairs { "T1", "T2" } do
  for _, long in ipairs { ms(700), ms(1800), ms(2500), ms(4000) } do
    may(1, pause(who) { duration = long })
    may(1, pause_application(who) { duration = long })
  end
  for _, long in ipairs { ms(300), ms(2500) } do may(1, kill(who) { duration = long }) end
  may(1, isolate(who) { duration = ms(2000) })
  may(1, one_way { from = who, to = "one broker", duration = ms(800) })
  may(1, one_way { from = "one broker", to = who, duration = ms(800) })
end
for _, long in ipairs { ms(500), ms(2500) } do
  may(1, kill "one broker" { duration = long })
  may(1, pause "one broker" { duration = long })
end
for _, place in ipairs { "orders/0", "bills/0", "__transaction_state/0", "__transaction_state/1", "__consumer_offsets/0" } do
  for _, broker in ipairs { "B1", "B2", "B3" } do may(1, command("C1", "elect", place .. " " .. broker)) end
end

return scenario {
  title = "Consume, transform, produce under any faults",
  chapter = "docs/exactly-once/05-kip-890-and-the-late-endtxn.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, transaction_partitions = 2, offsets_partitions = 1, transaction_timeout_check = seconds(1),
    heartbeat_interval = ms(500), session_timeout = ms(1500), replica_lag_max = seconds(2), replica_fetch_backoff = ms(200), request_timeout = seconds(1),
    group_initial_rebalance_delay = ms(100),
  },
  topics = { orders = { partitions = 3 }, bills = { partitions = 2 } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(60), start_at = ms(500), linger = 0 },
    turns_orders_into_bills "T1", turns_orders_into_bills "T2",
    consumer "K" { topics = { "bills" }, effect = "paid", isolation = "read_committed", auto_offset_reset = "earliest", request_timeout = seconds(1) },
  },
  links = { latency = ms(2), spread = ms(2) },
  faults = { between(ms(900), ms(3000), 5, table.unpack(faults)) },
  run_for = seconds(9),
  cases = {
    case "positions without the generation" {
      why = "Who was put out of the group commits all the same.",
      set = { group_metadata = false },
      expect = { finds "effect-duplicate", finds "atomicity-gap" },
    },
    case "positions that are not decided" {
      why = "The new owner begins before what the old one is just committing.",
      set = { require_stable = false },
      expect = { finds "effect-duplicate", finds "atomicity-gap" },
    },
    case "both rules" {
      why = "One of the two commits, and the other one hears of it.",
      expect = { holds "atomicity-gap", holds "effect-duplicate", holds "effect-lost", holds "G1a", holds "lost-message" },
    },
  },
}
