-- A producer that never knows: what does each rule of idempotence prevent?
--
-- Answers are lost or late, so the producer sends again, and the broker has to tell a retry from something new: when another
-- broker leads, when records were deleted meanwhile, when a batch is the first of all. P1 has a batch for each record, and many
-- of them under way; P2 fills batches; P3 wants more than its quota; P4 is the first
-- to write to each of four partitions. The hunt draws what goes wrong.
--
--   mqlab score scenarios/hunt/lost-answers.lua --hunt 10000
return scenario {
  title = "Lost answers, hunted",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka {
    brokers = 3, controllers = 1, min_insync = 2, heartbeat_interval = ms(300), session_timeout = ms(1000), replica_lag_max = ms(1000),
    replica_fetch_backoff = ms(100), replica_fetch_wait = ms(200), request_timeout = ms(600), producer_byte_rate = 10000,
  },
  topics = { orders = { partitions = 1, replicas = 3 }, visits = { partitions = 4, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 30, every = ms(80), start_at = ms(1500), linger = 0, batch_bytes = 100, request_timeout = ms(500), retry_backoff_max = ms(200), reconnect_backoff_max = ms(200) },
    producer "P2" { topic = "orders", records = 60, every = ms(40), start_at = ms(1500), linger = ms(50), size = 300, request_timeout = ms(500), retry_backoff_max = ms(200), reconnect_backoff_max = ms(200) },
    producer "P3" { topic = "orders", records = 30, every = ms(100), start_at = ms(1500), linger = 0, size = 6000, acks = "1", idempotence = false, max_in_flight = 1, request_timeout = ms(500), reconnect_backoff_max = ms(200) },
    producer "P4" { topic = "visits", records = 80, keys = 4, every = ms(25), start_at = ms(2500), linger = 0, batch_bytes = 100, request_timeout = ms(500), retry_backoff = ms(150), retry_backoff_max = ms(300), reconnect_backoff_max = ms(200) },
    consumer "C" { topics = { "orders", "visits" }, auto_offset_reset = "earliest", request_timeout = ms(600), reconnect_backoff_max = ms(200) },
  },
  run_for = seconds(8),
  hunt = { faults = "anything", faults_max = 6, messages = { "Produce", "ProduceReply", "FetchReply", "InitProducerId", "InitProducerIdReply", "MetadataReply" } },
}
