-- Readers that follow a log whose ends move: what does each rule of theirs prevent?
--
-- The log is short-lived: old segments go after some seconds, or when an operator deletes records. K1 reads in order and in time,
-- K2 from the broker of its rack, and slowly, K3 begins late, K4
-- comes now and then and takes what is there. P1 may not care whether it is heard. Leaders change, in good order or not. The hunt draws what goes wrong.
--
--   mqlab score scenarios/hunt/readers.lua --hunt 10000
return scenario {
  title = "Readers, hunted",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 1, unclean_election = true, elr = false, racks = "r1,r2,r3", replica_selector = "rack_aware",
    heartbeat_interval = ms(300), session_timeout = ms(1000), replica_lag_max = ms(1000), replica_fetch_backoff = ms(100), replica_fetch_wait = ms(200),
    request_timeout = ms(600), retention_check_interval = ms(500),
  },
  topics = { orders = { partitions = 1, replicas = 3, segment_bytes = 2000, retention = hours(1) } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(100), start_at = ms(1000), size = 200, linger = 0, idempotence = false, request_timeout = ms(600), retry_backoff_max = ms(200), reconnect_backoff_max = ms(200) },
    producer "P2" { topic = "orders", records = 30, every = ms(100), start_at = ms(5000), size = 200, linger = 0, request_timeout = ms(600), retry_backoff_max = ms(200), reconnect_backoff_max = ms(200) },
    consumer "K1" { topics = { "orders" }, auto_offset_reset = "earliest", fetch_wait = ms(100), request_timeout = ms(600), reconnect_backoff_max = ms(200), metadata_max_age = seconds(1) },
    consumer "K2" { topics = { "orders" }, auto_offset_reset = "latest", seek_to = 0, client_rack = "r3", max_poll = 5, work = ms(150), request_timeout = ms(600), reconnect_backoff_max = ms(200), metadata_max_age = seconds(1) },
    client "K4" { auto_offset_reset = "earliest", request_timeout = ms(600), reconnect_backoff_max = ms(200), metadata_max_age = seconds(1), program = function(c)
      c:assign("orders", "beginning")
      while true do
        c:poll(ms(300))
        c:sleep(ms(700 + c:random(1500)))
      end
    end },
    consumer "K3" { topics = { "orders" }, auto_offset_reset = "earliest", client_rack = "r2", start_at = seconds(4), work = ms(40), request_timeout = ms(600), reconnect_backoff_max = ms(200) },
  },
  run_for = seconds(10),
  hunt = {
    faults = "anything", faults_max = 6, options = { ["P1.acks"] = { "all", "0" } },
    kinds = {
      "kill", "pause", "stop", "isolate", "partition", "one_way", "clog", "latency", "loss", "half_open", "pause_application", "clock_jump", "clock_offset",
      "hold", "drop", "delay", "elect", "elect_unclean", "delete_records",
    },
    messages = { "Fetch", "FetchReply", "OffsetForLeaderEpoch", "OffsetForLeaderEpochReply", "ListOffsets", "ListOffsetsReply", "Metadata", "MetadataReply" },
  },
}
