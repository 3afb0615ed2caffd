-- The message is in the queue, and the word that it is has been lost.
--
-- P1 publishes ten messages, and the broker takes each of them. The confirm of the fifth is lost with the
-- connection. P1 cannot know whether the message arrived, connects again and sends it once more: the
-- consumer gets it twice, and neither delivery is flagged as redelivered, for to the broker they are two
-- messages. A producer that does not send again has no duplicate here, and one loss in the case in which
-- the publish, not the confirm, was lost: it cannot tell the two apart.
--
-- Source: RabbitMQ, Reliability Guide ("publishers may send twice").
return scenario {
  title = "A lost confirm and a publish that is repeated",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(100), start_at = seconds(1), recovery_interval = seconds(1) },
    consumer "C" { topics = { "orders" }, effect = "mail" },
  },
  faults = {
    at(0, drop "basic.ack" { from = "B1", to = "P1", nth = 5 }),
    at(ms(2500), reset_streams { from = "P1", to = "B1" }),
  },
  run_for = seconds(20),
  expect = { reaches "connection_lost" },
  cases = {
    case "sends again" {
      why = "To the broker it is another message.",
      set = { resend = true },
      expect = { holds "lost-message", violates "effect-duplicate" },
    },
    case "does not" {
      why = "The message was there, and nobody told.",
      set = { resend = false },
      expect = { holds "effect-duplicate" },
    },
  },
}
