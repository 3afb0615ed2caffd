-- Followers that come and go: what does each rule prevent that says who is in sync?
--
-- One broker after the other is down for a little longer than its session, so that the in-sync replicas are fewer and more again
-- all the time. One producer sends, now often, now so rarely that a single record makes the difference; one reader follows, one
-- comes late. Profiles take turns. The hunt draws what else goes wrong.
--
--   mqlab score scenarios/hunt/in-sync.lua --hunt 10000

local faults = {}
for n, broker in ipairs { 3, 2, 3, 1, 2 } do
  faults[n] = at(ms(1800 * n - 600), kill("B" .. broker) { duration = ms(1300) })
end

return scenario {
  title = "Who is in sync, hunted",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, heartbeat_interval = ms(300), session_timeout = ms(1000), replica_lag_max = ms(1000),
    replica_fetch_backoff = ms(100), replica_fetch_wait = ms(300), request_timeout = seconds(2),
  },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 40, every = ms(100), start_at = ms(1000), linger = 0, request_timeout = ms(600), retry_backoff_max = ms(200), reconnect_backoff_max = ms(200) },
    consumer "EARLY" { topics = { "orders" }, auto_offset_reset = "earliest", fetch_wait = ms(100), request_timeout = ms(600), reconnect_backoff_max = ms(200), metadata_max_age = seconds(1) },
    consumer "LATE" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(9) },
  },
  links = { latency = ms(40) },
  faults = faults,
  run_for = seconds(12),
  hunt = {
    faults = "anything", faults_max = 6, options = { profile = { "4.3", "3.9" }, ["P1.every"] = { ms(100), ms(300) } },
    kinds = { "kill", "power", "pause", "stop", "isolate", "partition", "one_way", "clog", "latency", "hold", "drop", "delay", "elect" },
    messages = { "Produce", "Fetch", "FetchReply", "AlterPartition", "AlterPartitionReply", "BrokerHeartbeat", "QuorumFetchReply" },
  },
}
