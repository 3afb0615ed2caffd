// models/kafka/kafka.h: Apache Kafka as a model of the laboratory: all that outsiders include.
//
//     models.add(kafka::make_model());
#pragma once

#include <memory>

#include "sim/lab/model.h"

namespace mqlab::kafka {

std::unique_ptr<Model> make_model();

}  // namespace mqlab::kafka
