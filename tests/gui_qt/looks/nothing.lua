-- A cluster without clients that is looked at for no time at all: every view says why it is empty.
return scenario {
  title = "Nothing happens",
  cluster = kafka { brokers = 1, controllers = 1 },
  topics = {},
  clients = {},
  run_for = ns(1),
}
