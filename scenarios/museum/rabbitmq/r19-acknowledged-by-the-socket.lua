-- With automatic acknowledgement a message is done when the broker has written it.
--
-- C takes messages without acknowledging (no_ack): for the broker each is gone as soon as it is written to
-- the socket, and prefetch limits nothing, so all ten are on their way to C at once. C works on each for
-- half a second and dies after two of them. What lay in its buffer was delivered, as the broker has it.
--
-- With manual acknowledgement the eight that C had not confirmed go back to the queue.
--
-- Source: RabbitMQ, Consumer Acknowledgements ("automatic acknowledgement mode").
return scenario {
  title = "Automatic acknowledgement, and a consumer that dies",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq {},
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 10, every = ms(10), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, work = ms(500), max_poll = 1 },
  },
  faults = { at(ms(2200), kill "C" { duration = seconds(2) }) },
  run_for = seconds(30),
  cases = {
    case "automatic" {
      why = "Written is done.",
      set = { auto_ack = true },
      expect = { violates "lost-message" },
    },
    case "manual" { why = "What is not acknowledged goes back.", expect = { holds "lost-message" } },
  },
}
