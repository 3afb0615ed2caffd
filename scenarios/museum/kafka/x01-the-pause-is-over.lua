-- A broker stands still for five seconds and goes on. How long does it take until all is well again?
--
-- Twenty producers send two or three records a second each, a request for every record, and the broker can do forty
-- requests a second: it is at seven tenths of what it can. A producer waits one second for an answer. Then it closes the
-- connection, opens another one, and sends the same again at once.
--
-- First case: during the pause each producer has sent its record five times. When the broker goes on it finds them all
-- and works through them, one after the other, and nobody waits for the answers of most: their connections are closed.
-- By the time it comes to a request that somebody waits for, the second is over. So it is never again that a producer is
-- answered in time, and each adds a request a second. The broker is as busy as it can be and acknowledges nothing; the
-- load is what it was. What began it is long gone: that is a metastable state, and the retries keep it.
--
-- Three ways out, each of which breaks the circle at another place. Patience: who waits thirty seconds (the default) is
-- answered, if late. Backing off: who waits longer after each failure asks less than the broker can do. Batches: all
-- that has piled up goes in one request, so that more load is not more work.
-- Duplicates tell of the pause in each case where somebody gave up: without idempotence each attempt is a record.
--
-- Source: Bronson et al., "Metastable Failures in Distributed Systems" (HotOS 2021); Huang et al. (OSDI 2022); KIP-580.
local clients = { consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" } }
for i = 1, 20 do
  clients[#clients + 1] = producer("P" .. i) {
    topic = "orders", every = ms(700), start_at = seconds(5) + ms(35 * i), records = 220, acks = 1, idempotence = false,
    linger = 0, batch_bytes = 100, max_in_flight = 1, delivery_timeout = minutes(10),
    retry_backoff = ms(10), retry_backoff_max = ms(10), reconnect_backoff = ms(10), reconnect_backoff_max = ms(10),
  }
end

return scenario {
  title = "The pause is over, and nothing works any more",
  chapter = "docs/kafka/06-retention-compaction-and-lag.md",
  cluster = kafka { brokers = 1, controllers = 1, broker_service = ms(25), io_threads = 1 },
  topics = { orders = { partitions = 1, replicas = 1 } },
  clients = clients,
  faults = { at(seconds(40), pause "B1" { duration = seconds(5) }) },
  run_for = seconds(140),
  cases = {
    case "it gives up after a second" {
      why = "Nobody waits any more when the answer comes.",
      set = { request_timeout = seconds(1) },
      expect = { violates "metastable-collapse" },
    },
    case "it gives up after thirty seconds" {
      why = "The answer is late, and somebody is there to hear it.",
      set = { request_timeout = seconds(30) },
      expect = { holds "metastable-collapse", holds "duplicate" },
    },
    case "it backs off" {
      why = "The longer it fails the less it asks.",
      set = {
        request_timeout = seconds(1), retry_backoff = seconds(1), retry_backoff_max = seconds(30),
        reconnect_backoff = seconds(1), reconnect_backoff_max = seconds(30),
      },
      expect = { holds "metastable-collapse" },
    },
    case "it sends in batches" {
      why = "What has piled up is one request.",
      set = { request_timeout = seconds(1), linger = ms(5), batch_bytes = 16384, max_in_flight = 5 },
      expect = { holds "metastable-collapse" },
    },
  },
}
