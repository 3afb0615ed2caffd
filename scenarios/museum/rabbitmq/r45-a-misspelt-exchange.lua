-- Dead letters go to an exchange. If there is none of that name, they go nowhere.
--
-- Orders that nobody can do are rejected, and are to be kept for somebody to look at. The queue names an
-- exchange for them that does not exist: declaring the queue is no error, since the exchange may come
-- later, and dead-lettering to it is none either. A rejected order is gone, and nobody is told.
--
-- Source: RabbitMQ, Dead Letter Exchanges ("dead lettering is not guaranteed"); rabbit_dead_letter.
return scenario {
  title = "A dead-letter exchange that is not there",
  chapter = "docs/rabbitmq/03-dead-letters.md",
  cluster = rabbitmq {},
  topics = { orders = {}, dead = {} },
  clients = {
    producer "P1" { topic = "orders", records = 5, every = ms(100), start_at = seconds(1) },
    consumer "C" { topics = { "orders" }, max_poll = 1, ack = "reject_failed", poison = { "P1-2" }, on_failure = "skip" },
  },
  run_for = seconds(20),
  cases = {
    case "misspelt" {
      why = "No exchange is called `daed`.",
      set = { ["orders.dead_letter"] = "daed" },
      expect = { reaches "dead_letter_lost", violates "dlq-loss" },
    },
    case "spelt right" {
      why = "The order is in the queue `dead`.",
      set = { ["orders.dead_letter"] = "dead" },
      expect = { reaches "message_dead_lettered", holds "dlq-loss", holds "lost-message" },
    },
  },
}
