-- A broker reads nothing from a client that is over its quota. What does the client take that for?
--
-- P sends forty kilobytes a second, and the broker allows it twenty. When P has sent too much, the answer says for how
-- long it is to be quiet (throttle_time_ms), and for so long the broker reads nothing from its connection. P gives up on
-- an answer after two seconds.
--
-- First case: a client that ignores the number, as clients before KIP-219 had no need of it. It sends its next request
-- at once; nobody reads it, no answer comes, and after two seconds P closes the connection, opens another one and sends
-- it again. But what lay in the old connection is not gone: the broker reads it when the time is over. So each quarrel
-- costs bytes twice, the rate goes up, and the next silence is longer. Records stand in the log twice.
-- Second case: a client that is quiet for as long as it was told. Nothing is sent again, and nothing is lost; what does
-- not go through waits with P, see the lesson `quota`.
--
-- Quiet helps only one request at a time: with five on the wire, four are in the muted channel before the first answer
-- says so. A request.timeout.ms above the longest throttle (the product's is 30 s) is what protects the others.
-- Source: KIP-219; ClientQuotaManager.throttle, NetworkClient.ClusterConnectionStates.throttle.
return scenario {
  title = "A throttled client takes silence for failure",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 1, controllers = 1, producer_byte_rate = 20000 },
  topics = { orders = { partitions = 1, replicas = 1 } },
  clients = {
    producer "P" {
      topic = "orders", records = 100, every = ms(100), size = 4000, start_at = seconds(5),
      acks = 1, idempotence = false, linger = 0, max_in_flight = 1, request_timeout = seconds(2),
    },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  run_for = minutes(4),
  expect = { reaches "throttled", holds "lost-message" },
  cases = {
    case "it goes on sending" {
      why = "No answer within its patience, so it sends again, and is over its quota again.",
      set = { client_honours_throttle = false },
      expect = { reaches "request_timed_out", violates "duplicate" },
    },
    case "it is quiet for as long as it was told" {
      why = "The wait is not counted against the broker.",
      set = { client_honours_throttle = true },
      expect = { holds "duplicate" },
    },
  },
}
