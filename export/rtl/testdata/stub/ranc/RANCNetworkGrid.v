// A stub: parameters, ports and names only, see README.md.
module RANCNetworkGrid #(
    parameter GRID_DIMENSION_X = 5, parameter GRID_DIMENSION_Y = 1,
    parameter OUTPUT_CORE_X_COORDINATE = 4, parameter OUTPUT_CORE_Y_COORDINATE = 0,
    parameter NUM_OUTPUTS = 256, parameter NUM_NEURONS = 256, parameter NUM_AXONS = 256,
    parameter NUM_TICKS = 16, parameter NUM_WEIGHTS = 4, parameter NUM_RESET_MODES = 2,
    parameter POTENTIAL_WIDTH = 9, parameter WEIGHT_WIDTH = 9, parameter LEAK_WIDTH = 9, parameter THRESHOLD_WIDTH = 9,
    parameter DX_MSB = 29, parameter DX_LSB = 21, parameter DY_MSB = 20, parameter DY_LSB = 12,
    parameter ROUTER_BUFFER_DEPTH = 4, parameter MEMORY_FILEPATH = ""
)(
    input clk, input rst, input tick, input input_buffer_empty,
    input [DX_MSB:0] packet_in, output reg ren_to_input_buffer,
    output [$clog2(NUM_OUTPUTS)-1:0] packet_out, output packet_out_valid,
    output token_controller_error, output scheduler_error
);
    assign packet_out = 0;
    assign packet_out_valid = 0;
    assign token_controller_error = 0;
    assign scheduler_error = 0;
    initial ren_to_input_buffer = 0;
    always @(negedge clk) ren_to_input_buffer <= !input_buffer_empty && !ren_to_input_buffer;

    genvar i;
    for (i = 0; i < GRID_DIMENSION_X * GRID_DIMENSION_Y; i = i + 1) begin : gencore
        if (i != OUTPUT_CORE_X_COORDINATE + OUTPUT_CORE_Y_COORDINATE * GRID_DIMENSION_X) begin
            stub_core #(.NEURONS(NUM_NEURONS), .AXONS(NUM_AXONS), .WIDTH(NUM_AXONS + 2*POTENTIAL_WIDTH + NUM_WEIGHTS*WEIGHT_WIDTH
                + LEAK_WIDTH + 2*THRESHOLD_WIDTH + 1 + DX_MSB + 1)) Core ();
        end
    end
endmodule

module stub_core #(parameter NEURONS = 1, parameter AXONS = 1, parameter WIDTH = 1);
    wire scheduler_wen = 0;
    stub_token TokenController ();
    stub_csram #(.NEURONS(NEURONS), .WIDTH(WIDTH)) CSRAM ();
    stub_scheduler #(.AXONS(AXONS)) Scheduler ();
endmodule

module stub_token;
    wire [3:0] state = 0;
endmodule

module stub_csram #(parameter NEURONS = 1, parameter WIDTH = 1);
    reg [WIDTH-1:0] memory [0:NEURONS-1];
endmodule

module stub_scheduler #(parameter AXONS = 1);
    stub_slots #(.AXONS(AXONS)) SRAM ();
endmodule

module stub_slots #(parameter AXONS = 1);
    reg [AXONS-1:0] memory [0:15];
endmodule
