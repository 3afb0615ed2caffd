// sim/lab/outside.h: the world outside, as one node: cards are charged, mails are sent.
//
// The rule: an effect is a row of the history, written here when it happens; who asked may never hear of it. The row's
// process is the client that asked (so that a stale one can be told from the owner), its subscription is this node, which
// reads nothing: so an acknowledged message without its effect counts as lost whoever was to do it.
//
// Two defences, each an option. Idempotency keys: a key that is known gets the answer of the first call, and nothing is done;
// the same key for something else is refused. Fencing: a token lower than the highest seen for the key is refused.
//
// Always true: the effect and what is remembered of it are one record on the disk; answered when that is synced.
// Sources: Kleppmann, "How to do distributed locking" (2016), fencing tokens; the Idempotency-Key header field
// (draft-ietf-httpapi-idempotency-key-header).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sim/lab/service.h"

namespace mqlab {

struct OutsideSettings {
  bool idempotency_keys = false;
  Duration remember = 0;   // by its wall clock; 0 = for ever
  bool fencing = false;
  std::int64_t declines = 0;  // of a hundred calls
};

class Outside : public ServiceNode {
 public:
  explicit Outside(OutsideSettings settings) : settings_(settings) {}
  std::unique_ptr<Node> clone() const override { return std::make_unique<Outside>(*this); }

  void on_start(Context& c) override;
  void on_message(Context& c, const Message& m) override;
  void on_timer(Context& c, TimerKind kind, std::uint64_t argument) override;
  void on_crash(const Crash& crash) override;
  Tree state() const override;

 private:
  struct Record {
    std::int64_t serial{};
    NodeId client = nobody;
    EffectRequest request{};
    std::string error{};   // declined: remembered too, and nothing was done
    Time wall{};
  };
  void take(const Record& r);
  void tell(Context& c, std::int64_t up_to);

  OutsideSettings settings_;
  std::vector<Record> log_;      // on the disk, file 0
  std::int64_t next_serial_ = 1;
  std::int64_t told_ = 0;        // of the laboratory: effects up to here are in the history
  std::map<std::string, Record> keys_{};            // in memory: by idempotency key
  std::map<std::uint32_t, std::int64_t> tokens_{};  // the highest of each key
};

}  // namespace mqlab
