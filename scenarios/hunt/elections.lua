-- A lead that goes from one to another all the time: what does each rule prevent that says where logs part?
--
-- An operator moves the lead of a partition again and again, now after half a second, now after a tenth. Links are slow, so that
-- something is always under way. The hunt draws what else goes wrong.
--
--   mqlab score scenarios/hunt/elections.lua --hunt 10000

local faults = {}
local time = 1500
for n, broker in ipairs { 2, 1, 3, 2, 3, 1, 2, 1, 3, 1, 2, 3 } do
  faults[n] = at(ms(time), command("C1", "elect", ("orders/0 B%d"):format(broker)))
  time = time + (n % 2 == 1 and 300 or 700)
end

return scenario {
  title = "Elections, hunted",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, heartbeat_interval = ms(300), session_timeout = ms(1000), replica_lag_max = ms(1500),
    replica_fetch_backoff = ms(100), replica_fetch_wait = ms(200), request_timeout = ms(600),
  },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 80, every = ms(75), start_at = ms(1000), linger = 0, request_timeout = ms(600), retry_backoff = ms(20), retry_backoff_max = ms(100), reconnect_backoff_max = ms(100) },
    producer "P2" {
      topic = "orders", records = 40, every = ms(150), start_at = ms(1000), linger = 0, idempotence = false, retries = 0,
      request_timeout = ms(400), delivery_timeout = ms(500), reconnect_backoff_max = ms(100), metadata_max_age = ms(200),
    },
    consumer "EARLY" { topics = { "orders" }, auto_offset_reset = "earliest", fetch_wait = ms(100), request_timeout = ms(600), reconnect_backoff_max = ms(100), metadata_max_age = ms(500) },
    consumer "LATE" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = ms(7500) },
  },
  links = { latency = ms(10), spread = ms(20) },
  faults = faults,
  run_for = seconds(10),
  hunt = {
    faults = "anything", faults_max = 5,
    kinds = { "kill", "pause", "isolate", "partition", "one_way", "clog", "latency", "loss", "hold", "drop", "delay", "elect" },
    messages = { "Produce", "ProduceReply", "Fetch", "FetchReply", "OffsetForLeaderEpoch", "OffsetForLeaderEpochReply", "AlterPartition", "QuorumFetchReply" },
  },
}
