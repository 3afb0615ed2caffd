-- Who is broker 3? A process that died may still answer that.
--
-- A broker registers once in its life: it says its id and a name made up for this start (the incarnation), and is given an epoch, with
-- which it sends heartbeats from then on. The controller lets nobody take the id of a broker whose session is alive. But a
-- session begins with the first heartbeat, not with the registration. In between, whoever registers takes the id.
--
-- B3 starts, and its registration is slow on the way. B3 dies and is started again; the new process registers, and is given
-- an epoch. Before its first heartbeat arrives, the request of the dead one does, and takes the id with the next. The controller
-- now waits for heartbeats of a process that is gone, and refuses those of the one that lives: STALE_BROKER_EPOCH. A broker that
-- hears that logs a warning and asks again, with the same epoch, for ever: it has registered already. All is well on its machine,
-- and it will never lead. An operator who reads the log and restarts it ends that.
--
-- First case: the late request arrives between registration and heartbeat. Second case: a moment later, when the session has
-- begun; it is refused (DUPLICATE_BROKER_REGISTRATION), and nothing happens. Third case: the operator.
--
-- No option of the product closes this. Found by a hunt (`settles`, slow links and a restart).
-- Source: ClusterControlManager.registerBroker (hasValidSession), BrokerHeartbeatManager.touch;
-- BrokerLifecycleManager.BrokerHeartbeatResponseHandler.
return scenario {
  title = "The registration of a dead process",
  chapter = "docs/kafka/02-replication-and-acks.md",
  cluster = kafka { profile = "4.3", brokers = 3, controllers = 1 },
  topics = { orders = { partitions = 3, replicas = 1 } },
  clients = {
    producer "P" { topic = "orders", partition = 2, records = 30, every = seconds(5), start_at = seconds(15) },
    consumer "C" { topics = { "orders" }, auto_offset_reset = "earliest" },
  },
  links = { latency = ms(20) },
  faults = {
    at(seconds(10), kill "B3"),
    at(seconds(25), hold { message = "BrokerRegistration", from = "B3", label = "slow" }),
    at(seconds(25), restart "B3"),
    at(seconds(26), kill "B3"),
  },
  run_for = minutes(5),
  cases = {
    case "before the first heartbeat" {
      why = "Nobody has heard a heartbeat yet, so the dead one takes the id. B3 runs, leads nothing, and what P sends times out.",
      faults = {
        at(seconds(27), restart "B3"),
        when(sent "BrokerRegistrationReply" { to = "B3", nth = 2 }, release { label = "slow" }),
      },
      expect = { reaches "broker_replaced", reaches "producer_epoch_bumped" },
    },
    case "after it" {
      why = "The session of the living one has begun: the late request is refused.",
      faults = { at(seconds(27), restart "B3"), at(seconds(28), release { label = "slow" }) },
      expect = { holds "unavailable", holds "lost-message" },
    },
    case "an operator reads the log" {
      why = "A new start registers anew; nobody is late this time.",
      faults = {
        at(seconds(27), restart "B3"),
        when(sent "BrokerRegistrationReply" { to = "B3", nth = 2 }, release { label = "slow" }),
        at(seconds(40), restart "B3"),
      },
      expect = { reaches "broker_replaced", holds "unavailable", holds "lost-message" },
    },
  },
}
