// Where the models are registered: one line each.
#include "cli/face.h"

#if __has_include("models/kafka/kafka.h")
#include "models/kafka/kafka.h"
#define MQLAB_HAS_KAFKA 1
#endif

namespace mqlab::cli {

const Models& all_models() {
  static const Models models = [] {
    Models m;
#ifdef MQLAB_HAS_KAFKA
    m.add(kafka::make_model());
#endif
    return m;
  }();
  return models;
}

}  // namespace mqlab::cli
