// sim/lab/load.h: declared load, as data: applications that need no program.
//
// A ProducerLoad sends a number of messages at a pace; a ConsumerLoop (consumer_loop.h) reads, works
// and commits; a TransformLoop (transform_loop.h) turns one topic into another. All are plain values and copy with their world. Their options are declared once
// (load_options) and are offered beside those of each model's client.
//
// Elsewhere: programs (sim/script), what a call does (the model's client).
#pragma once

#include <string>
#include <vector>

#include "sim/lab/app.h"
#include "sim/lab/consumer_loop.h"
#include "sim/lab/options.h"

namespace mqlab {

// Scopes "producer", "consumer" and "transform".
const std::vector<OptionDecl>& load_options();

// Sends message 1..records to one topic.
class ProducerLoad : public AppBase<ProducerLoad> {
 public:
  explicit ProducerLoad(const Options& o);

  void on_start(AppContext& a) override;
  void on_answer(AppContext& a, const Answer& answer) override;
  void on_timer(AppContext& a, std::uint64_t argument) override;
  void on_crash() override;
  bool done() const override;
  Tree state() const override;

 private:
  void pace(AppContext& a);
  void send(AppContext& a, std::uint64_t number);

  // As declared.
  std::string topic_;
  std::uint64_t records_;
  Duration every_;
  Duration start_at_;
  std::uint64_t keys_;
  std::uint64_t tombstone_every_;
  std::int64_t partition_;
  std::uint32_t size_;
  std::uint64_t window_;
  bool resend_;
  std::uint64_t resend_limit_;
  bool replay_;
  bool stop_on_error_;
  Duration timestamp_offset_;

  // Survives a crash of the process: what the application stored about its own input.
  std::uint64_t confirmed_ = 0;  // messages 1..confirmed are acknowledged
  // Does not.
  std::uint64_t next_ = 1;
  std::uint64_t in_flight_ = 0;
  std::uint64_t failed_ = 0;
  std::uint64_t resent_ = 0;
  bool stopped_ = false;
  bool timer_set_ = false;
  std::vector<std::uint64_t> acknowledged_;  // above confirmed_, ascending
};

}  // namespace mqlab
