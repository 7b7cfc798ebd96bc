/* JSON in and JSON out with jansson, which cweb.h brings along:
   POST /json {"numbers": [1, 2, 3.5]} answers their count, sum and mean; GET /json?name=Ada greets. */
#include <cweb.h>

/* json_dumps gives a block from malloc, which the server frees when the answer is sent. */
static int answer(struct http_response *res, http_error_t status, json_t *json) {
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    json_decref(json);
    if (text == NULL) {
        res->status = HTTP_500_INTERNAL_SERVER_ERROR;
        return 0;
    }
    map_insert(res->headers, "Content-Type", "application/json");
    res->status = status;
    res->body = text;
    return 0;
}

static int refuse(struct http_response *res, const char *sentence) {
    return answer(res, HTTP_400_BAD_REQUEST, json_pack("{s:s}", "error", sentence));
}

static int greet(struct http_request *req, struct http_response *res) {
    const char *name = map_get(req->params, "name");
    json_t *json = json_pack("{s:s}", "hello", name == NULL ? "world" : name);
    /* jansson takes no text that is not UTF-8. */
    return json == NULL ? refuse(res, "the parameter name is not UTF-8") : answer(res, HTTP_200_OK, json);
}

static int add_up(struct http_request *req, struct http_response *res) {
    json_error_t error;
    json_t *posted = json_loadb(req->body, (size_t)req->content_length, 0, &error);
    if (posted == NULL) {
        return answer(res, HTTP_400_BAD_REQUEST,
                      json_pack("{s:s, s:i, s:i}", "error", error.text, "line", error.line, "column", error.column));
    }
    json_t *numbers = json_object_get(posted, "numbers");
    const size_t count = json_array_size(numbers);
    double sum = 0;
    int all_numbers = json_is_array(numbers);
    for (size_t i = 0; i < count; ++i) {
        json_t *number = json_array_get(numbers, i);
        all_numbers = all_numbers && json_is_number(number);
        sum += json_number_value(number);
    }
    json_decref(posted);
    if (!all_numbers) return refuse(res, "expected {\"numbers\": [1, 2, 3.5]}");
    if (count == 0) return answer(res, HTTP_200_OK, json_pack("{s:i, s:f, s:n}", "count", 0, "sum", 0.0, "mean"));
    /* A sum beyond the largest double is no number, and JSON has no word for it. */
    json_t *json = json_pack("{s:I, s:f, s:f}", "count", (json_int_t)count, "sum", sum, "mean", sum / (double)count);
    return json == NULL ? refuse(res, "the sum is too large") : answer(res, HTTP_200_OK, json);
}

export module_t config = {
    .name = "json",
    .author = "cweb",
    .routes = {
        {"/json", "GET", greet, NONE},
        {"/json", "POST", add_up, NONE},
    },
    .size = 2,
};
