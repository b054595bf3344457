# R Shiny's renderPlot: the plot is drawn on a PNG device and sent in base64.
# See worker.go for what is said on standard input and output.
suppressPackageStartupMessages(library(shiny))

points <- 1000
names <- c("web1", "web2", "web3", "web4")
colors <- c("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728")
rows <- read.csv(commandArgs(TRUE)[1], header = FALSE)
turns <- nrow(rows) - points
times <- as.POSIXct(rows$V1 / 1000, origin = "1970-01-01", tz = "UTC")
values <- as.matrix(rows[, 2:5])

server <- function(input, output, session) {
  at <- reactiveVal(1)
  output$plot <- renderPlot({
    window <- seq(at(), length.out = points)
    matplot(times[window], values[window, ], type = "l", lty = 1, col = colors,
            xaxt = "n", xlab = "", ylab = "%", main = "Load")
    axis.POSIXct(1, times[window])
    grid()
    legend("topleft", names, col = colors, lty = 1)
  }, width = 800, height = 400)
}

testServer(server, {
  i <- 0
  last <- ""
  refresh <- function() {
    i <<- (i + 1) %% turns
    at(i + 1)
    session$flushReact()
    last <<- output$plot$src
    nchar(last)
  }
  for (n in 1:5) refresh()
  cat("ready\n")
  flush(stdout())
  input_lines <- file("stdin", "r")
  while (length(line <- readLines(input_lines, n = 1)) > 0) {
    args <- strsplit(line, " ")[[1]]
    if (args[1] == "draw") {
      png <- sub("^data:image/png;base64,", "", last)
      writeBin(base64enc::base64decode(png), args[2])
      cat("{}\n")
    } else {
      before <- sum(proc.time()[1:2])
      sizes <- vapply(seq_len(as.integer(args[3])), function(n) refresh(), numeric(1))
      used <- sum(proc.time()[1:2]) - before
      cat(sprintf('{"us":%.0f,"sizes":[%s]}\n', used * 1e6, paste(sizes, collapse = ",")))
    }
    flush(stdout())
  }
})
