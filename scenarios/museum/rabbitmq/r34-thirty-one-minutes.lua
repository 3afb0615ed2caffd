-- Work that takes longer than the broker believes work to take.
--
-- C1 works on the first message for 31 minutes. After 30 the broker takes the delivery for abandoned: it
-- closes C1's channel, and what C1 held goes to C2, who sends the mail in a minute. C1 knows nothing of it
-- while it works, and sends the mail too.
--
-- With a longer consumer_timeout, or work in smaller pieces, nothing happens. What helps against both is an
-- effect that may be asked for twice.
--
-- Source: RabbitMQ, Consumers ("delivery acknowledgement timeout"); up to 4.2 the channel is closed with 406.
return scenario {
  title = "A delivery that was not acknowledged in half an hour",
  chapter = "docs/rabbitmq/02-acks-confirms-and-requeue.md",
  cluster = rabbitmq { profile = "4.2" },
  topics = { orders = {} },
  clients = {
    producer "P1" { topic = "orders", records = 2, every = ms(100), start_at = seconds(5) },
    consumer "C1" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = seconds(60), work_slow_message = "P1-1", work_slow = minutes(31), effect = "mail" },
    consumer "C2" { topics = { "orders" }, group = "g", prefetch = 1, max_poll = 1, work = seconds(60), effect = "mail", start_at = seconds(10) },
  },
  run_for = minutes(45),
  cases = {
    case "30 minutes" {
      why = "The broker's patience is shorter than the work.",
      expect = { reaches "consumer_timeout", violates "effect-duplicate", violates "visibility-double-processing" },
    },
    case "an hour" {
      why = "It waits.",
      set = { consumer_timeout = minutes(60) },
      expect = { holds "effect-duplicate", holds "lost-message" },
    },
  },
}
