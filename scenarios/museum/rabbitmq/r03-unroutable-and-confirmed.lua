-- A confirm says that the broker took its decision, not that the message is in a queue.
--
-- An operator deletes the queue of C by mistake. C is told so (basic.cancel), rests for five seconds and
-- declares the queue again. What P1 publishes meanwhile goes to an exchange without a binding: nothing
-- takes it, and it is confirmed all the same, at once.
--
-- With mandatory the broker returns what no queue takes, before it confirms it. P1 knows, and sends again.
--
-- Source: RabbitMQ, Publisher Confirms ("unroutable messages"); rabbit_channel:deliver_to_queues.
return scenario {
  title = "Confirmed, and in no queue",
  chapter = "docs/rabbitmq/01-the-post-office.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 20, every = ms(200), start_at = seconds(1), resend = true, resend_limit = 5000 },
    consumer "C" { topics = { "orders" } },
  },
  faults = { at(seconds(2), command("B1", "delete_queue", "orders.C")) },
  run_for = seconds(30),
  expect = { reaches "queue_deleted", reaches "consumer_cancelled" },
  cases = {
    case "not mandatory" {
      why = "Nothing takes the message, and nobody says so.",
      expect = { reaches "message_unroutable", violates "lost-message" },
    },
    case "mandatory" {
      why = "It comes back before it is confirmed.",
      set = { mandatory = true },
      expect = { reaches "message_returned", holds "lost-message", holds "confirmed-unroutable" },
    },
    case "mandatory, and nobody looks at what comes back" {
      why = "A return listener is a part of the client that is easily left out.",
      set = { mandatory = true, ignores_returns = true },
      expect = { reaches "message_returned", violates "confirmed-unroutable", violates "lost-message" },
    },
  },
}
