-- Producers that come one after the other, each to a topic where nobody has written: what does the first record find?
--
-- A leader compares what a producer sends with what it remembers of it, and of a newcomer it remembers nothing. All of them are
-- idempotent, each has a batch for each record and several of them under way. The hunt draws what goes wrong.
--
--   mqlab score scenarios/hunt/newcomers.lua --hunt 10000

local topics, clients, names = {}, {}, {}
for n = 1, 5 do
  names[n] = "t" .. n
  topics[names[n]] = { partitions = 1, replicas = 3 }
  clients[n] = producer("P" .. n) {
    topic = names[n], records = 12, every = ms(30), start_at = seconds(1 + n), linger = 0, batch_bytes = 100, request_timeout = ms(500),
    retry_backoff = ms(150), retry_backoff_max = ms(300), reconnect_backoff_max = ms(200),
  }
end
clients[#clients + 1] = consumer "C" { topics = names, auto_offset_reset = "earliest", request_timeout = ms(600), reconnect_backoff_max = ms(200) }

return scenario {
  title = "Newcomers, hunted",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, heartbeat_interval = ms(300), session_timeout = ms(1000), replica_lag_max = ms(1000),
    replica_fetch_backoff = ms(100), replica_fetch_wait = ms(200), request_timeout = ms(600),
  },
  topics = topics,
  clients = clients,
  run_for = seconds(9),
  hunt = {
    faults = "anything", faults_max = 6,
    kinds = { "kill", "pause", "stop", "isolate", "partition", "one_way", "clog", "latency", "loss", "reset_streams", "hold", "drop", "delay", "elect" },
    messages = { "Produce", "ProduceReply", "Fetch", "FetchReply", "AlterPartition", "AlterPartitionReply", "MetadataReply" },
  },
}
