-- A stream knows its publishers by name, and two of one name are one.
--
-- P1 and P2 publish to a stream with deduplication: each message has a publishing id, and one that is not above the last of
-- its publisher is a repetition, left out and confirmed all the same. Both were deployed with the name `shop`. What P1 has
-- numbered 7 is a repetition to the stream when P2's 7 is there already: half of all messages are gone, and each is
-- confirmed.
--
-- With a name each, every id counts for itself.
--
-- Source: RabbitMQ, Streams (message deduplication); osiris_writer (a publishing id not above the last is filtered).
return scenario {
  title = "Stream: one name, two publishers",
  cluster = rabbitmq {},
  topics = { orders = { queue_type = "stream" } },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(100), start_at = seconds(1), producer_name = "shop" },
    producer "P2" { topic = "orders", records = 10, every = ms(100), start_at = ms(1050), producer_name = "shop" },
    consumer "C" { topics = { "orders" } },
  },
  run_for = seconds(20),
  cases = {
    case "one name" {
      why = "Each id is taken once.",
      expect = { reaches "publish_left_out", violates "lost-message" },
    },
    case "a name each" {
      why = "An id is one publisher's own.",
      set = { ["P2.producer_name"] = "till" },
      expect = { holds "lost-message" },
    },
  },
}
