-- The library says that the send timed out. May the application send the message again?
--
-- P1 is idempotent and asks for acks=all. The leader writes its fourth message, and then nothing finds
-- its way back to P1 for longer than delivery.timeout.ms. The library gives up and ends the send with
-- a timeout. That does not mean "failed", it means "I do not know". When the application now calls
-- send() once more, the library takes it for a new message and gives it a number of its own, and the
-- broker has nothing to recognise it by: the message stands in the log twice. Idempotence covers what
-- the library repeats, not what the application repeats.
--
-- With a longer delivery.timeout.ms the library's own retry outlives the trouble; it carries the old
-- number and is recognised. The third case leaves the message alone: no duplicate, and this
-- time it was stored. Another time it would not be: not sending again trades a duplicate for a loss.
--
-- Source: KIP-91, KIP-98; ProducerBatch.hasReachedDeliveryTimeout, TransactionManager.maybeResolveSequences.
return scenario {
  title = "The application sends again what timed out",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 6, every = seconds(1), start_at = seconds(5), window = 1 },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(sent "Produce" { from = "P1", nth = 4 },
      one_way { from = "leader orders/0", to = "P1", duration = seconds(150) }),
  },
  run_for = seconds(240),
  expect = { reaches "request_timed_out", reaches "producer_retry" },
  cases = {
    case "the application resends" {
      why = "To the broker a new send is a new message.",
      set = { resend = true },
      expect = { violates "duplicate" },
    },
    case "delivery_timeout=5min" {
      why = "The library's retry has the old number.",
      set = { resend = true, delivery_timeout = minutes(5) },
      expect = { reaches "duplicate_recognised", holds "duplicate", holds "duplicate-delivery" },
    },
    case "nobody resends" {
      why = "What timed out stays open.",
      set = { resend = false },
      expect = { holds "duplicate", holds "duplicate-delivery" },
    },
  },
}
