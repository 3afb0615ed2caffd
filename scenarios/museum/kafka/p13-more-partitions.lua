-- A key always goes to the same partition. Also after the topic has grown?
--
-- The partition of a record is hash(key) modulo the number of partitions. Two producers send with the
-- same twelve keys to six partitions when an operator adds two. P2 hears of it when it next asks for
-- metadata, here within ten seconds; P1 only after five minutes, the default of metadata.max.age.ms.
-- From then on P2 sends most keys to another partition than before, and than P1 still does.
--
-- C was away and now reads it all. Inside a partition it gets what was sent in the order sent; between
-- partitions there is no order. Of a key that moved it gets some new records before the old ones.
--
-- Records never move. So have enough partitions from the start, a few times what the load needs, and
-- nobody has to add any; or go on in a new topic, and begin to read it when the old one is done.
--
-- Source: BuiltInPartitioner.partitionForKey; Kafka's documentation, "Modifying topics"; metadata.max.age.ms.
return scenario {
  title = "A topic grows, and its keys move",
  chapter = "docs/kafka/03-ordering-and-duplicates.md",
  cluster = kafka { brokers = 3, controllers = 1, min_insync = 2 },
  topics = { orders = { partitions = 6, partitions_max = 8, replicas = 3 } },
  clients = {
    producer "P1" { topic = "orders", records = 60, every = ms(500), start_at = seconds(5), keys = 12 },
    producer "P2" {
      topic = "orders", records = 60, every = ms(500), start_at = seconds(5), keys = 12,
      metadata_max_age = seconds(10),
    },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest", start_at = seconds(40) },
  },
  faults = {
    at(seconds(15), command("controller", "add_partitions", "orders 8")),
  },
  run_for = seconds(60),
  cases = {
    case "six partitions become eight" {
      why = "Another divisor, another partition.",
      expect = { reaches "partitions_added", violates "key-order-violation" },
    },
    case "eight from the start" {
      why = "There is nothing to add.",
      set = { ["orders.partitions"] = 8 },
      expect = { reaches "command_refused", holds "key-order-violation" },
    },
  },
}
