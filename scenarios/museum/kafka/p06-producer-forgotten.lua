-- How long does a broker remember what a producer has sent?
--
-- P1 is idempotent and has been told to try for an hour. Its fourth record is written, and then nothing
-- finds its way back to P1 for half an hour. Meanwhile the brokers tidy up: P1 has been silent for
-- longer than producer.id.expiration.ms, which somebody has set to ten minutes, because dead producers
-- fill the memory. When the network heals, P1 sends the record again under its old id and number. The
-- leader has nothing to compare it with, and of a producer that it does not know it takes any number:
-- it can't tell one that it forgot from one that is new here. The record stands in the log twice.
--
-- With the default of one day the leader still knows it. The memory must outlive the longest retry,
-- and with a delivery.timeout.ms of two minutes nobody comes near a day.
--
-- The last two cases have the long memory, but somebody deletes the records during the outage. Before
-- Kafka 2.4 a producer was forgotten with its last record (the product then told it so, and it numbered
-- anew: the same duplicate). Since then the memory does not hang on the records.
--
-- Source: ProducerAppendInfo.checkSequence, ProducerStateManager.removeExpiredProducers; KIP-360, KAFKA-7190.
return scenario {
  title = "The broker has forgotten a producer that still retries",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 1, replicas = 3 } },
  clients = {
    producer "P1" {
      topic = "orders", records = 6, every = seconds(1), start_at = seconds(5), window = 1,
      delivery_timeout = hours(1),
    },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  faults = {
    when(sent "Produce" { from = "P1", nth = 4 },
      one_way { from = "leader orders/0", to = "P1", duration = minutes(30) }),
  },
  run_for = minutes(35),
  expect = { reaches "producer_retry" },
  cases = {
    case "producer_id_expiration=10min" {
      why = "Forgotten, and so anything is taken.",
      set = { producer_id_expiration = minutes(10) },
      expect = { violates "duplicate", violates "duplicate-delivery" },
    },
    case "producer_id_expiration=1d" {
      why = "The memory outlives the retry.",
      set = { producer_id_expiration = days(1) },
      expect = { reaches "duplicate_recognised", holds "duplicate", holds "duplicate-delivery" },
    },
    case "records deleted, evict_with_records=true" {
      why = "The producer goes with its last record.",
      set = { evict_with_records = true },
      faults = { at(minutes(10), command("leader orders/0", "delete_records", "orders/0 4")) },
      expect = { reaches "records_deleted", violates "duplicate", violates "duplicate-delivery" },
    },
    case "records deleted, evict_with_records=false" {
      why = "The memory is kept apart from the records.",
      set = { evict_with_records = false },
      faults = { at(minutes(10), command("leader orders/0", "delete_records", "orders/0 4")) },
      expect = {
        reaches "records_deleted", reaches "duplicate_recognised",
        holds "duplicate", holds "duplicate-delivery",
      },
    },
  },
}
