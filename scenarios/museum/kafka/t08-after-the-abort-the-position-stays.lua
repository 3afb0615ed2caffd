-- A transaction was aborted: its outputs do not count, and the position that it stored does not count. So the batch will be
-- read again?
--
-- Not by this consumer. T1 reads orders, writes bills, and has to abort every third transaction. The abort is a matter
-- between its producer and the brokers. Its consumer is another object, in the same process, which knows nothing of it: it
-- has handed out the batch, and its next poll goes on behind it. The next transaction commits, stores a position beyond both
-- batches, and now nobody will ever read the lost one: some orders have no bill. Every answer was a success.
--
-- After an abort the application must take the consumer back itself: seek to what the group has committed, for every
-- partition of the batch. "The committed position" and "where the batch began" are the same here; where the commit of the
-- batch before ended unknown, only the first is right.
--
-- Jepsen met this in 2024, in a test that had done what the documentation said: it did not speak of the consumer.
-- Source: KAFKA-17582; Jepsen, Bufstream 0.1.0.
return scenario {
  title = "After the abort the position stays",
  chapter = "docs/exactly-once/04-transactions-step-by-step.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2, offsets_partitions = 1 },
  topics = { orders = { partitions = 1, replicas = 3 }, bills = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(20), start_at = seconds(5) },
    transform "T1" {
      topics = { "orders" }, topic = "bills", group = "billing", transactional_id = "billing", auto_offset_reset = "earliest",
      auto_commit = "off", isolation = "read_committed", max_poll = 5, work = ms(10), abort_every = 3, start_at = seconds(7),
    },
    consumer "K1" { topics = { "bills" }, isolation = "read_committed", auto_offset_reset = "earliest", effect = "sent to the customer" },
  },
  run_for = seconds(30),
  expect = { holds "G1a", holds "effect-duplicate" },
  cases = {
    case "it goes on" {
      why = "The next batch's position covers the one that was aborted.",
      set = { on_abort = "go_on" },
      expect = { reaches "position_dropped", violates "atomicity-gap" },
    },
    case "it seeks back" {
      why = "To where the group stands.",
      set = { on_abort = "rewind" },
      expect = { reaches "position_dropped", holds "atomicity-gap" },
    },
  },
}
