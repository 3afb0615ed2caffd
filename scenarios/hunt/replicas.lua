-- Three replicas of a log, and whatever may befall them: what does each rule of replication prevent?
--
-- Brokers fail, are cut off and come back, the lead goes from one to another, requests between them are slow or held. All of it
-- is drawn by the hunt; nothing here is a schedule for one bug. Time-outs are short, so that much happens in ten seconds. One
-- producer insists, another one gives up at once; one reader is there from the beginning, one comes late, and one asks again and
-- again where the log ends.
--
--   mqlab hunt scenarios/hunt/replicas.lua --budget 10000
--   mqlab score scenarios/hunt/replicas.lua --hunt 10000
return scenario {
  title = "Replicas, hunted",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, heartbeat_interval = ms(300), session_timeout = ms(1000), replica_lag_max = ms(1000),
    replica_fetch_backoff = ms(100), replica_fetch_wait = ms(200), request_timeout = ms(600), writeback_after = ms(500),
  },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 100, every = ms(75), start_at = ms(1000), linger = 0, request_timeout = ms(600), retry_backoff_max = ms(200), reconnect_backoff_max = ms(200) },
    producer "P2" {
      topic = "orders", records = 30, every = ms(250), start_at = ms(1100), linger = 0, idempotence = false, retries = 0,
      request_timeout = ms(400), delivery_timeout = ms(500), reconnect_backoff_max = ms(200),
    },
    consumer "EARLY" { topics = { "orders" }, auto_offset_reset = "earliest", fetch_wait = ms(100), request_timeout = ms(600), reconnect_backoff_max = ms(200), metadata_max_age = seconds(1) },
    consumer "LATE" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(8) },
    client "END" { metadata_max_age = seconds(1), request_timeout = ms(300), reconnect_backoff_max = ms(200), program = function(c)
      c:sleep(seconds(2))
      for _ = 1, 60 do
        c:end_offset("orders/0")
        c:sleep(ms(100))
      end
    end },
  },
  links = { latency = ms(30), spread = ms(30) },
  run_for = seconds(10),
  hunt = {
    faults = "anything", faults_max = 8, options = { elr = { true, false } },
    kinds = { "kill", "power", "write_back", "pause", "stop", "isolate", "partition", "one_way", "clog", "latency", "loss", "hold", "drop", "delay", "elect" },
    messages = {
      "Produce", "ProduceReply", "Fetch", "FetchReply", "OffsetForLeaderEpoch", "OffsetForLeaderEpochReply", "AlterPartition", "AlterPartitionReply",
      "QuorumFetchReply", "BrokerHeartbeat", "ListOffsets",
    },
  },
}
