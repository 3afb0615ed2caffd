-- The answer got lost, not the record. What does sending again do?
--
-- P1 sends one record at a time. Of the fourth, the leader writes the record, the followers copy it, and
-- the answer is lost on its way back. All that P1 sees is silence. After request.timeout.ms it closes
-- the connection, and it cannot know which of the two was lost, the record or the answer. It sends
-- again, because giving up could lose the record; and the leader writes what it receives. The record
-- stands in the log twice, and every reader gets it twice.
--
-- With idempotence each batch carries a producer id and a sequence number. The leader remembers the
-- last batches of every producer on the partition, sees that it holds this one already, writes
-- nothing, and answers with the offset of the first copy. The retry itself is the same.
--
-- Source: KIP-98; ProducerStateEntry.findDuplicateBatch, Sender.completeBatch in Kafka.
return scenario {
  title = "A lost answer and a retry write a record twice",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = seconds(1), start_at = seconds(5), window = 1 },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(sent "Produce" { from = "P1", nth = 4 }, drop "ProduceReply" { from = "leader orders/0", to = "P1" }),
  },
  run_for = seconds(60),
  expect = { reaches "request_timed_out", reaches "producer_retry" },
  cases = {
    case "idempotence=false" {
      why = "The leader writes whatever it receives.",
      set = { idempotence = false },
      expect = { violates "duplicate", violates "duplicate-delivery" },
    },
    case "idempotence=true" {
      why = "The leader knows the batch by its sequence number.",
      set = { idempotence = true },
      expect = { reaches "duplicate_recognised", holds "duplicate", holds "duplicate-delivery" },
    },
  },
}
