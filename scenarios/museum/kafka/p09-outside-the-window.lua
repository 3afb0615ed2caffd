-- By what does a leader recognise a batch that comes a second time?
--
-- By its first and last sequence number, among the last five batches of that producer. Both halves of
-- this rule are a contract with the client library. Here the leader writes all that P1 sends, the
-- answers are lost, and P1 sends everything again.
--
-- Ten in flight: all ten batches were written, and the leader remembers five to nine. The first one
-- comes again. It is not among them, and it does not follow on the last one either: the leader answers
-- "out of order" (45) instead of "I have it". The producer takes that for a hole in the log, goes to a
-- new epoch, numbers its batches anew from 0, and the leader takes them all a second time. With at
-- most five in flight all that can come again is remembered.
--
-- Cut in two: the ten records were one batch. A library that sends them again as two batches offers
-- numbers 0 to 4 where the leader remembers 0 to 9: no match, 45, new epoch, written twice.
--
-- The Java client refuses more than five with idempotence, and cuts a batch only after the broker has
-- refused it as too large, when no copy of it can be in the log.
-- Source: KAFKA-5494, KAFKA-17926; ProducerStateEntry.findDuplicateBatch, TransactionManager.canRetry.
return scenario {
  title = "A retry that the leader can't recognise",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" {
      topic = "orders", records = 10, every = ms(1), start_at = seconds(5),
      idempotence = true, linger = 0, batch_bytes = 100,
    },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(sent "Produce" { from = "P1" }, drop "ProduceReply" { from = "leader orders/0", to = "P1" }),
  },
  run_for = seconds(60),
  expect = { reaches "request_timed_out", reaches "producer_retry" },
  cases = {
    case "max_in_flight=10" {
      why = "Ten may come again, five are remembered.",
      set = { max_in_flight = 10 },
      expect = {
        reaches "out_of_order_sequence", reaches "producer_epoch_bumped",
        violates "duplicate", violates "duplicate-delivery",
      },
    },
    case "max_in_flight=5" {
      why = "What may come again is remembered.",
      set = { max_in_flight = 5 },
      expect = { reaches "duplicate_recognised", holds "duplicate", holds "duplicate-delivery" },
    },
    case "one batch, split_on_retry=true" {
      why = "The halves have bounds that the leader has never seen.",
      set = { linger = ms(20), batch_bytes = 16384, split_on_retry = true },
      expect = {
        reaches "out_of_order_sequence", reaches "producer_epoch_bumped",
        violates "duplicate", violates "duplicate-delivery",
      },
    },
    case "one batch, split_on_retry=false" {
      why = "The same batch comes again as it was.",
      set = { linger = ms(20), batch_bytes = 16384, split_on_retry = false },
      expect = { reaches "duplicate_recognised", holds "duplicate", holds "duplicate-delivery" },
    },
  },
}
