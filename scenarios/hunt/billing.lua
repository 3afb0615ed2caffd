-- Orders become bills, in transactions: what does each rule of reading and writing at once prevent?
--
-- Two instances of one application read the orders as members of a group, and write bills and positions in transactions. Who gets
-- a bill pays it. The hunt draws what goes wrong.
--
--   mqlab score scenarios/hunt/billing.lua --hunt 10000

local function turns_orders_into_bills(name)
  return transform(name) {
    topics = { "orders" }, topic = "bills", group = "billing", transactional_id = name, positions = "in_transaction",
    isolation = "read_committed", auto_offset_reset = "earliest", auto_commit = "off", max_poll = 3, work = ms(15), poll_timeout = ms(300),
    session_timeout = ms(1500), group_heartbeat = ms(400), max_poll_interval = seconds(3), assignors = { "cooperative-sticky" },
    transaction_timeout = seconds(3), linger = 0, request_timeout = ms(600), delivery_timeout = ms(900), max_block = seconds(2),
    reconnect_backoff_max = ms(200), retry_backoff_max = ms(200),
  }
end

return scenario {
  title = "Consume, transform, produce, hunted",
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
  run_for = seconds(9),
  hunt = { faults = "anything", faults_max = 6 },
}
