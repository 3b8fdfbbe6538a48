// A stub: ports and names only, see README.md.
module tinyODIN (
    input CLK, input RST, input SCK, input MOSI, output MISO,
    input [9:0] AERIN_ADDR, input AERIN_REQ, output reg AERIN_ACK,
    output [7:0] AEROUT_ADDR, output AEROUT_REQ, input AEROUT_ACK,
    output SCHED_FULL
);
    wire SCHED_EMPTY = 1;
    wire AEROUT_CTRL_BUSY = 0;
    assign MISO = 0;
    assign AEROUT_ADDR = 0;
    assign AEROUT_REQ = 0;
    assign SCHED_FULL = 0;
    initial AERIN_ACK = 0;
    always @(posedge CLK) AERIN_ACK <= AERIN_REQ;

    stub_controller controller_0 ();
    stub_neurons neuron_core_0 ();
    stub_synapses synaptic_core_0 ();
endmodule

module stub_controller;
    wire [3:0] state = 0;
endmodule

module stub_neurons;
    stub_sram #(.WIDTH(32), .DEPTH(256)) neurarray_0 ();
endmodule

module stub_synapses;
    stub_sram #(.WIDTH(32), .DEPTH(8192)) synarray_0 ();
endmodule

module stub_sram;
    parameter WIDTH = 1;
    parameter DEPTH = 1;
    reg [WIDTH-1:0] SRAM [0:DEPTH-1];
endmodule
