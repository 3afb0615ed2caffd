-- An acknowledgement that comes twice costs the channel, and with it all that is in hand.
--
-- C acknowledges a message when it is done, and a wrapper around C does so again. The second tag is unknown to the broker,
-- which is an error of the channel: it is closed (406), and everything that was delivered on it and not settled goes back.
-- C has four more in hand, does them, cannot settle them any more, and gets them all again.
--
-- Source: AMQP 0-9-1, basic.ack; RabbitMQ, Consumer Acknowledgements ("unknown delivery tag").
return scenario {
  title = "Done, and done again",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 5, every = ms(1), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, start_at = seconds(2), work = ms(200), ack = "accept", effect = "mail", recovery_interval = seconds(2) },
  },
  run_for = seconds(40),
  cases = {
    case "twice" {
      why = "An unknown tag closes the channel.",
      set = { acks_twice = true },
      expect = { reaches "channel_error", reaches "channel_closed", violates "effect-duplicate", holds "lost-message" },
    },
    case "once" {
      why = "Each tag is settled once.",
      expect = { holds "effect-duplicate", holds "lost-message" },
    },
  },
}
